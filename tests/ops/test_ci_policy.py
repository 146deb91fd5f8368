"""The jobs of ops/ci: their shape, and every command in them, run on a policy repository as they would be run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tierwise_fixtures import decided

from tierwise import content, wiring
from tierwise import settings as configuration
from tierwise.cli import setup

GITHUB, GITLAB = "ops/ci/github/policy.yml", "ops/ci/gitlab/policy.gitlab-ci.yml"
INSTALL = 'python -m pip install --quiet "$TIERWISE"'
WITHOUT = f"env -u TIERWISE_DATABASE_URL {INSTALL}"
"""On GitLab a variable is there for the whole job."""
SECRET = "secrets.TIERWISE_DATABASE_URL"


def read(root: Path, name: str) -> Any:
    return YAML(typ="safe").load(root / name)


def commands(root: Path) -> list[str]:
    """What the jobs run of Tierwise, and nothing else."""
    github = [step["run"] for job in read(root, GITHUB)["jobs"].values() for step in job["steps"] if "run" in step]
    gitlab = [
        line for job in read(root, GITLAB).values() for line in [*job.get("before_script", ()), *job.get("script", ())]
    ]
    assert github.count(INSTALL) == github.count(source(root)) == 2, "what is installed is looked at first"
    assert gitlab[:2] == [source(root), WITHOUT]
    others = {INSTALL, WITHOUT, source(root), skip(root)}
    return [command for command in dict.fromkeys([*github, *gitlab]) if command not in others]


def source(root: Path) -> str:
    """What refuses to install anything that somebody else could have published."""
    return str(read(root, GITLAB)[".policy"]["before_script"][0])


def skip(root: Path) -> str:
    return str(read(root, GITLAB)["policy-backtest"]["script"][0])


def test_the_github_workflow_has_the_shape_of_one(root: Path) -> None:
    flow = read(root, GITHUB)
    assert set(flow) == {"name", "on", "permissions", "concurrency", "env", "jobs"}
    assert flow["permissions"] == {"contents": "read"}
    assert "prompts/**" in flow["on"]["pull_request"]["paths"]
    for job in flow["jobs"].values():
        assert set(job) <= {"name", "needs", "runs-on", "timeout-minutes", "env", "steps"}
        for step in job["steps"]:
            assert set(step) <= {"name", "if", "uses", "with", "run", "env"}
            assert ("uses" in step) != ("run" in step)
            assert "@v" in step.get("uses", "@v")
            # What a pull request says (titles, branch names) must not become part of a command.
            assert "${{" not in step.get("run", "")
    skipped = [step.get("if", "") for step in flow["jobs"]["backtest"]["steps"]]
    assert all("env.HAS_DATABASE == 'true'" in condition for condition in skipped)


def test_only_the_backtest_is_given_the_database(root: Path) -> None:
    flow = read(root, GITHUB)
    holding = [
        (name, step["name"]) for name, job in flow["jobs"].items() for step in job["steps"] if SECRET in str(step)
    ]
    assert holding == [("backtest", "Backtest")]
    jobs = flow["jobs"].values()
    above = [flow["env"], *(job.get("env", {}) for job in jobs)]
    # Elsewhere nothing but whether there is one.
    assert [value for env in above for value in env.values() if SECRET in str(value)] == [f"${{{{ {SECRET} != '' }}}}"]
    lab = read(root, GITLAB)
    assert lab["policy-backtest"]["environment"] == {"name": "policy-backtest", "action": "access"}
    assert [name for name, job in lab.items() if "environment" in job] == ["policy-backtest"]


@pytest.mark.parametrize(
    ("given", "index", "taken"),
    [
        ("", "", False),
        ("tierwise", "", False),
        ("tierwise[analysis]", "", False),
        ("tierwise[analysis]", "https://packages.acme.example/simple", False),
        ("tierwise[analysis]==0.1.0", "", False),
        ("tierwise[analysis]==0.1.0", "https://packages.acme.example/simple", True),
        ("tierwise[analysis] @ https://acme.example/tierwise-0.1.0-py3-none-any.whl#sha256=00", "", True),
        ("tierwise[analysis] @ git+https://acme.example/tierwise.git@0123456789abcdef", "", True),
        ("tierwise[analysis] @ http://acme.example/tierwise-0.1.0.tar.gz", "", False),
        ("http://acme.example/tierwise-0.1.0-py3-none-any.whl", "", False),
        ("tierwise[analysis] @ http://acme.example/tierwise-0.1.0-py3-none-any.whl", "", False),
        ("tierwise[analysis] @ HTTP://acme.example/tierwise-0.1.0-py3-none-any.whl#sha256=00", "", False),
        ("tierwise[analysis]@hTtP://acme.example/tierwise.whl", "https://packages.acme.example/simple", False),
        ("tierwise[analysis] @ git+http://acme.example/tierwise.git#.whl", "", False),
        ("ftp://acme.example/tierwise-0.1.0-py3-none-any.whl", "", False),
        ("wheels/tierwise-0.1.0-py3-none-any.whl[analysis]", "", True),
        ("tierwise[analysis] @ file:///wheels/tierwise-0.1.0-py3-none-any.whl", "", True),
    ],
)
def test_nothing_is_installed_that_somebody_else_could_have_published(
    root: Path, given: str, index: str, taken: bool
) -> None:
    done = shell(source(root), {"TIERWISE": given, "PIP_INDEX_URL": index, "PATH": os.environ["PATH"]})
    assert (done.returncode == 0) == taken
    assert taken or "ops/ci/README.md" in done.stderr


def test_without_a_database_there_is_no_backtest_and_no_failure(root: Path) -> None:
    done = shell(f"{skip(root)}\nfalse", {"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stdout) == (0, "no TIERWISE_DATABASE_URL - no backtest\n")
    there = {"PATH": os.environ["PATH"], "TIERWISE_DATABASE_URL": "sqlite:///there.db"}
    assert shell(f"{skip(root)}\nexit 7", there).returncode == 7


def shell(command: str, environment: dict[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which("bash") or "sh", "-e", "-c", command], cwd=cwd, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def test_the_gitlab_jobs_have_the_shape_of_some(root: Path) -> None:
    jobs = read(root, GITLAB)
    assert set(jobs) == {"variables", ".policy", "policy-check", "policy-backtest"}
    known = {"extends", "image", "environment", "interruptible", "timeout", "before_script", "stage", "needs", "rules",
             "script", "artifacts"}  # fmt: skip
    for name, job in jobs.items():
        assert name == "variables" or set(job) <= known
    assert jobs["policy-check"]["artifacts"]["reports"] == {"junit": "policy-tests.xml"}
    assert all("merge_request_event" in rule["if"] for name in ("policy-check", "policy-backtest")
               for rule in jobs[name]["rules"])  # fmt: skip


def test_both_run_the_same_and_name_what_is_there(root: Path) -> None:
    assert commands(root) == [
        "tierwise policy check .",
        "tierwise policy test . --junit policy-tests.xml",
        "tierwise policy analyse .",
        "tierwise policy backtest . --last 1000 --html backtest.html",
    ]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    for file, place in ((GITHUB, "env"), (GITLAB, "variables")):
        assert read(root, file)[place]["TIERWISE"] == "", "a default would be somebody's package"
        told = re.search(
            r'# What pip installs.*"(\S+)\[(\w+)\] @ https://\S+-(\S+?)-py3-none-any.whl#sha256=',
            (root / file).read_text(),
        )
        assert told is not None
        assert (told[1], told[3]) == (project["name"], project["version"])
        assert told[2] in project["optional-dependencies"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with decisions, as production's is."""
    settings = configuration.Settings(home=tmp_path_factory.mktemp("production"))
    setup.prepare(settings)
    parts = wiring.Wiring(settings)
    decided.fill(parts, 20)
    parts.close()
    return settings.home / "tierwise.db"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A policy repository, checked out."""
    content.lay_out(tmp_path / "repository")
    return tmp_path / "repository"


def run(command: str, *, cwd: Path, home: Path, database: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "CI": "true",
        "TIERWISE_HOME": str(home), "TIERWISE_POLICY__MAX_REVIEW": "1",
        **({"TIERWISE_DATABASE_URL": f"sqlite:///{database}"} if "backtest" in command else {}),
    }  # fmt: skip
    return shell(command, environment, cwd)


def test_every_command_runs_on_a_sound_policy(root: Path, repository: Path, database: Path, tmp_path: Path) -> None:
    for command in commands(root):
        done = run(command, cwd=repository, home=tmp_path / "home", database=database)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    suite = ET.parse(repository / "policy-tests.xml").getroot()
    assert len(suite.findall(".//testcase")) > 100
    assert "<html" in (repository / "backtest.html").read_text()


def test_a_mistake_fails_the_job_and_is_told(root: Path, repository: Path, database: Path, tmp_path: Path) -> None:
    prompt = repository / "prompts" / "qualify.md"
    prompt.write_text(prompt.read_text().replace("lead.employee_count >= 200", "lead.employee_cout >= 200", 1))
    done = run(commands(root)[0], cwd=repository, home=tmp_path / "home", database=database)
    assert done.returncode == 1
    assert "employee_count" in done.stdout
