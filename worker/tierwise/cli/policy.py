"""Policy files: check, test. What becomes of them is `cli/lifecycle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tierwise import content, policies
from tierwise.cli import output, session

app = typer.Typer(no_args_is_help=True, help="Rules, rubric, maps and reasons: check, test, activate.")

Directory = Annotated[Path | None, typer.Argument(help="Holds rules/ and prompts/; default: the configured directory.")]


def template_problems(text: str) -> list[str]:
    """What is wrong with a prompt's template, as sentences."""
    from tierwise.llm import prompt

    return list(prompt.check_template(text))


def directory_of(given: Path | None) -> Path:
    return given if given is not None else content.find(session.load().policy_dir)


@app.command()
def check(directory: Directory = None, json: output.Json = False) -> None:
    """Every error of a bundle at once, with file, line, caret and a hint."""
    where = directory_of(directory)
    problems = policies.check(where, template_check=template_problems)
    if json:
        output.print_json({"errors": [problem.as_dict() for problem in problems]})
    else:
        for problem in problems:
            output.out.print(problem.render(), markup=False, soft_wrap=True)
        output.say(f"{where}: {len(problems)} problems" if problems else f"{where}: fine")
    if problems:
        raise typer.Exit(1)


@app.command("test")
def run_tests(directory: Directory = None, json: output.Json = False) -> None:
    """Run the tests inside the rule files and maps."""
    where = directory_of(directory)
    results = policies.run_tests(policies.read(where))
    failed = [result for result in results if not result.passed]
    if json:
        output.print_json({"passed": len(results) - len(failed), "failed": [result.as_dict() for result in failed]})
    else:
        for result in failed:
            output.out.print(f"FAILED {result.subject} · {result.name}: {result.message}", markup=False, soft_wrap=True)
        output.out.print(f"{len(results) - len(failed)} passed, {len(failed)} failed", markup=False)
    if failed:
        raise typer.Exit(1)
