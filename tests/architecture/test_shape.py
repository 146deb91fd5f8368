"""Modules stay small and named after what they do; the domain stays pure; errors are never swallowed."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

LONGEST = 400
MEDIAN = 150
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager", "managers"}

# Pure thought: nothing here can see a clock, a file, a network, the environment or chance.
DOMAIN_STDLIB = {
    "__future__", "abc", "base64", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "difflib",
    "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "html", "ipaddress", "itertools", "json", "math",
    "operator", "re", "statistics", "string", "textwrap", "types", "typing", "unicodedata", "urllib.parse",
}  # fmt: skip
DOMAIN_LIBRARIES = {"pydantic", "pydantic_core"}
# Their tables ship inside the packages; gettext reads the names of countries from pycountry's.
IDENTITY_LIBRARIES = {"email_validator", "gettext", "phonenumbers", "publicsuffixlist", "pycountry"}
IMPURE_NAMES = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint", "globals", "vars"}
IMPURE_METHODS = {"now", "utcnow", "today"}

# How many handlers may catch everything, and why.
MAY_CATCH_ALL = {
    "worker/tierwise/tasks/running.py": 1,  # where any error of a task becomes what Celery does next
    # One lead's failure is its own: a bug on one lead must not stop the others.
    "worker/tierwise/pipeline/decide.py": 3,
    # One record's failure is its own: where a connector breaks on it alone, the others still get through.
    "worker/tierwise/pipeline/write_back.py": 1,
    "worker/tierwise/pipeline/crew.py": 1,  # hands a stranger's error to whoever waits for its answer
}
# The sandbox's command line speaks to its caller on standard output.
MAY_PRINT = {Path("connectors/tierwise_sandbox/__main__.py"), Path("worker/tierwise/__main__.py")}


def _nodes(root: Path, module: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((root / module).read_text(), filename=str(module)))


def _domain(modules: list[Path]) -> list[Path]:
    found = [module for module in modules if module.is_relative_to("worker/tierwise/domain")]
    assert found
    return found


def test_no_module_is_long(root: Path, modules: list[Path]) -> None:
    lengths = {str(module): len((root / module).read_text().splitlines()) for module in modules}
    long = {name: length for name, length in lengths.items() if length > LONGEST}
    assert not long, f"over {LONGEST} lines: {long}"
    assert statistics.median(lengths.values()) < MEDIAN


def test_names_say_what_a_module_does(modules: list[Path]) -> None:
    vague = [str(m) for m in modules if {m.stem, *(part for part in m.parts[:-1])} & FORBIDDEN_NAMES]
    assert not vague


def test_every_module_says_why_it_exists(root: Path, modules: list[Path]) -> None:
    silent = [str(m) for m in modules if not ast.get_docstring(ast.parse((root / m).read_text()))]
    assert not silent


def test_domain_imports_only_what_is_pure(root: Path, modules: list[Path]) -> None:
    wrong = []
    for module in _domain(modules):
        allowed = DOMAIN_STDLIB | DOMAIN_LIBRARIES
        if module.stem == "identity":
            allowed |= IDENTITY_LIBRARIES
        for node in _nodes(root, module):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                parent = node.module or ""
                names = [f"tierwise.{alias.name}" for alias in node.names] if parent == "tierwise" else [parent]
            else:
                continue
            for name in names:
                ours = name.startswith(("tierwise.domain", "tierwise.errors"))
                if not (ours or name in allowed or name.split(".")[0] in allowed):
                    wrong.append(f"{module}:{node.lineno} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_domain_sees_no_clock_no_file_no_chance(root: Path, modules: list[Path]) -> None:
    wrong = []
    for module in _domain(modules):
        for node in _nodes(root, module):
            if isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
                wrong.append(f"{module}:{node.lineno} uses {node.id}")
            elif isinstance(node, ast.Attribute) and node.attr in IMPURE_METHODS and _is_clock(node.value):
                wrong.append(f"{module}:{node.lineno} asks the clock with {node.attr}")
    assert not wrong, "\n".join(wrong)


def _is_clock(node: ast.expr) -> bool:
    """Whether `node` is spelled like the classes of datetime: a field that is called `now` is none."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"datetime", "date", "dt"}


def test_nothing_is_caught_wholesale(root: Path, modules: list[Path]) -> None:
    wrong = {}
    for module in modules:
        handlers = [node for node in _nodes(root, module) if isinstance(node, ast.ExceptHandler)]
        lines = [node.lineno for node in handlers if _catches_all(node) and not _raises_again(node)]
        if len(lines) > MAY_CATCH_ALL.get(str(module), 0):
            wrong[str(module)] = lines
    assert not wrong, f"catches everything: {wrong}"


def _catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"} for kind in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and letting the error go on is not catching it."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_the_command_line_prints(root: Path, modules: list[Path]) -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module in modules
        if not module.is_relative_to("worker/tierwise/cli") and module not in MAY_PRINT
        for node in _nodes(root, module)
        if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert not wrong
