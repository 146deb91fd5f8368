"""Policy files: check, test. What becomes of them is `cli/lifecycle`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tierwise import content, policies
from tierwise.cli import junit, output, session
from tierwise.policies import schemas as schema_files
from tierwise.policies import solving

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
    proved = solving.available()
    if json:
        unproved = {} if proved else {"not_analysed": policies.NOT_ANALYSED}
        output.print_json({"errors": [problem.as_dict() for problem in problems], **unproved})
    else:
        for problem in problems:
            output.out.print(problem.render(), markup=False, soft_wrap=True)
        if not proved:
            output.say(f"dead, shadowed and contradictory rules and gaps: {policies.NOT_ANALYSED}")
        found = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        output.say(f"{where}: {found if problems else 'fine'}")
    if problems:
        raise typer.Exit(1)


@app.command("test")
def run_tests(
    directory: Directory = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line for each test.")] = False,
    json: output.Json = False,
) -> None:
    """Run the tests inside the rule files and maps, and the rubric's examples."""
    where = directory_of(directory)
    began = time.perf_counter()
    results = policies.run_tests(policies.read(where))
    seconds = time.perf_counter() - began
    failed = [result for result in results if not result.passed]
    places = policies.test_places(policies.load(where)) if failed or junit_file is not None else {}
    if junit_file is not None:
        junit.write(junit_file, results, places)
    if json:
        told = [{**result.as_dict(), **_place(places[result.subject, result.name])} for result in failed]
        output.print_json({"passed": len(results) - len(failed), "failed": told})
    else:
        _report(results, places, verbose=verbose)
        count = f"{len(failed)} failed, {len(results) - len(failed)} passed" if failed else f"{len(results)} passed"
        output.out.print(f"{count} in {seconds:.2f} s", markup=False)
    if failed:
        raise typer.Exit(1)


def _place(at: policies.Problem) -> dict[str, str | int]:
    return {"file": at.file, "line": at.line}


def _report(
    results: Sequence[policies.TestResult], places: Mapping[tuple[str, str], policies.Problem], *, verbose: bool
) -> None:
    """Line by line as pytest would: a dot for what passed, an F for what failed, then where, and what came instead."""
    for subject in dict.fromkeys(result.subject for result in results):
        mine = [result for result in results if result.subject == subject]
        if verbose:
            for result in mine:
                verdict = "PASSED" if result.passed else "FAILED"
                output.out.print(f"{subject}::{result.name} {verdict}", markup=False, soft_wrap=True)
        else:
            marks = "".join("." if result.passed else "F" for result in mine)
            output.out.print(f"{subject} {marks}", markup=False, soft_wrap=True)
    for result in results:
        if not result.passed:
            at = places[result.subject, result.name]
            output.out.print(f"{at.file}:{at.line}:\n{at.excerpt}", markup=False, soft_wrap=True)
            output.out.print(f"FAILED {result.subject}::{result.name}: {result.message}", markup=False, soft_wrap=True)


@app.command()
def schemas(
    directory: Directory = None,
    check_only: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where one is out of date.")
    ] = False,
) -> None:
    """Renew rules/*.schema.json, by which editors complete keys and mark mistakes while one types."""
    where = directory_of(directory)
    stale = schema_files.stale(where)
    for file in stale:
        if not check_only:
            (where / file).parent.mkdir(parents=True, exist_ok=True)
            output.write_text(where / file, schema_files.generate()[file])
        output.say(f"{file}: {'out of date' if check_only else 'written'}")
    if not stale:
        output.say(f"{where}: up to date")
    elif check_only:
        raise typer.Exit(1)
