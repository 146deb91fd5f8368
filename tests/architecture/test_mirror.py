"""Tests mirror the tree: whoever reads a module knows where its tests are, and the other way round."""

from __future__ import annotations

import ast
from pathlib import Path

# Where the test of worker/tierwise/a/b.py may be: tests/worker/a/test_b.py, or, if it needs a real database,
# tests/contracts/a/test_b.py. Of connectors/tierwise_x/b.py: tests/connectors/tierwise_x/test_b.py.
ROOTS = {
    Path("worker/tierwise"): (Path("tests/worker"), Path("tests/contracts")),
    Path("connectors"): (Path("tests/connectors"),),
}
NOT_MIRRORED = {"__init__.py", "__main__.py"}


def _places(module: Path) -> list[Path]:
    for root, places in ROOTS.items():
        if module.is_relative_to(root):
            inside = module.relative_to(root)
            return [place / inside.with_name(f"test_{inside.name}") for place in places]
    raise AssertionError(f"{module} is under no known root")


def _tests(path: Path) -> list[str]:
    """The names of the tests in a file, methods of classes included."""
    tree = ast.parse(path.read_text())
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    ]


def _inherited(path: Path) -> bool:
    """Whether a test class takes its tests from a base (the contracts of the sdk)."""
    tree = ast.parse(path.read_text())
    return any(isinstance(n, ast.ClassDef) and n.name.startswith("Test") and n.bases for n in ast.walk(tree))


def test_every_module_has_its_tests(root: Path, modules: list[Path]) -> None:
    missing = []
    for module in modules:
        if module.name in NOT_MIRRORED:
            continue
        places = [place for place in _places(module) if (root / place).is_file()]
        if not any(_tests(root / place) or _inherited(root / place) for place in places):
            missing.append(f"{module}: no test in {' or '.join(map(str, _places(module)))}")
    assert not missing, "\n" + "\n".join(missing)


def test_every_mirrored_test_has_its_module(root: Path, modules: list[Path]) -> None:
    expected = {place for module in modules if module.name not in NOT_MIRRORED for place in _places(module)}
    packages = {place.parent for place in expected}
    # A test of a package as a whole is called after the package, or test___init__.py / test___main__.py.
    expected |= {place.parent.with_name(f"test_{place.parent.name}.py") for place in expected}
    expected |= {package / f"test_{name}" for package in packages for name in NOT_MIRRORED}
    strays = [
        str(path.relative_to(root))
        for folder in ("tests/worker", "tests/connectors")
        for path in sorted((root / folder).rglob("test_*.py"))
        if path.relative_to(root) not in expected
    ]
    assert not strays, f"tests that mirror no module: {strays}"
