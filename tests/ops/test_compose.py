"""docker-compose.yml by its structure. There is no Docker engine here; test_compose_run.py runs its commands."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from tierwise import cli, settings
from tierwise.console import health
from tierwise.settings import names, reading

OURS = ("migrate", "worker", "beat", "console", "sandbox")
THEIRS = ("redis", "postgres")
LASTING = ("redis", "postgres", "worker", "beat", "console", "sandbox")
SECONDS = {"s": 1, "m": 60}

# Keys of a service that the specification knows and this file uses; a new one is added here with a look at it.
KNOWN = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "expose", "healthcheck", "image", "init",
    "logging", "networks", "pids_limit", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size",
    "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "retries", "start_period", "disable"}
CONDITIONS = {"service_healthy", "service_completed_successfully", "service_started"}


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([sm])", text)
    assert found, f"{text} is no duration"
    return int(found[1]) * SECONDS[found[2]]


def test_it_has_the_services_of_an_installation(compose: Any) -> None:
    assert set(compose["services"]) == {*OURS, *THEIRS}
    assert [name for name, service in compose["services"].items() if "profiles" in service] == ["sandbox"]


def test_only_known_keys_are_used(compose: Any) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "networks", "volumes"}
    for name, service in compose["services"].items():
        assert set(service) <= KNOWN, name
        assert set(service["healthcheck"]) <= HEALTH, name
        for need in service.get("depends_on", {}).values():
            assert set(need) == {"condition"}
            assert need["condition"] in CONDITIONS


def test_what_is_referred_to_exists(compose: Any) -> None:
    used_networks: set[str] = set()
    used_volumes: set[str] = set()
    for name, service in compose["services"].items():
        used_networks |= set(service["networks"])
        used_volumes |= {volume.partition(":")[0] for volume in service.get("volumes", [])}
        for other, need in service.get("depends_on", {}).items():
            waits_for_health = need["condition"] == "service_healthy"
            assert waits_for_health == (other in LASTING), f"{name} waits for {other}"
    assert used_networks == set(compose["networks"])
    assert used_volumes == set(compose["volumes"])


@pytest.mark.parametrize("name", [*OURS, *THEIRS])
def test_every_container_is_confined(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert "privileged" not in service
    assert "/tmp" in [mount.partition(":")[0] for mount in service["tmpfs"]]
    assert service["logging"]["options"]["max-size"], "logs must not fill the disk"


@pytest.mark.parametrize("name", [*OURS, *THEIRS])
def test_every_image_is_pinned_by_a_tag(compose: Any, name: str) -> None:
    _, separator, tag = compose["services"][name]["image"].rpartition(":")
    assert separator
    assert re.match(r"\d+(\.\d+)*", tag), f"{tag} moves"


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check_and_comes_back(compose: Any, name: str) -> None:
    service = compose["services"][name]
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert len(check["test"]) > 1
    assert 0 < seconds(check["timeout"]) < seconds(check["interval"]) <= health.FRESH.total_seconds()
    assert check["retries"] >= 3
    assert seconds(check["start_period"]) > 0
    assert service["restart"] == "unless-stopped"


def test_the_migration_runs_once_before_everything_that_reads_tables(compose: Any) -> None:
    services = compose["services"]
    assert services["migrate"]["restart"] == "no"
    assert services["migrate"]["healthcheck"] == {"disable": True}
    for name in ("worker", "beat", "console"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }


def test_database_and_broker_are_not_reachable_from_outside(compose: Any) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    for name in (*THEIRS, "migrate"):
        assert compose["services"][name]["networks"] == ["inside"]
        assert "ports" not in compose["services"][name]
    for name in ("console", "sandbox"):
        assert [port.rsplit(":", 2)[0] for port in compose["services"][name]["ports"]] == ["127.0.0.1"]


def test_a_worker_shows_its_counters_on_the_inner_network_only(compose: Any) -> None:
    worker = compose["services"]["worker"]
    assert worker["expose"] == [worker["environment"]["TIERWISE_METRICS__PORT"]]
    assert "ports" not in worker
    assert worker["environment"].items() > compose["services"]["beat"]["environment"].items()


def test_the_broker_keeps_messages_and_refuses_rather_than_evicts(compose: Any) -> None:
    command = compose["services"]["redis"]["command"]
    assert all(isinstance(part, str) for part in command)
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_ours(compose: Any, name: str) -> None:
    _parse(compose["services"][name]["command"])


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_each_role_is_asked_for_its_own_heartbeat(compose: Any, name: str) -> None:
    test = compose["services"][name]["healthcheck"]["test"]
    assert test == ["CMD", "tierwise", "heartbeat", name, "--here"]
    _parse(test[2:])


def test_a_wrong_command_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="no such command"):
        _parse(["wroker"])
    with pytest.raises(AssertionError, match="bad options"):
        _parse(["worker", "--concurrencies=2"])


def _parse(command: list[str]) -> None:
    """As the command line would, up to the point where it would run."""
    found: Any = typer.main.get_command(cli.app)
    rest = [*command]
    while hasattr(found, "commands"):
        name = rest.pop(0)
        assert name in found.commands, f"no such command: {' '.join(command)}"
        found = found.commands[name]
    try:
        found.make_context(name, rest)
    except Exception as error:
        raise AssertionError(f"bad options: {' '.join(command)}") from error


def test_workers_may_finish_what_they_hold(compose: Any) -> None:
    longest = settings.load(environ={}).pump.seconds
    assert seconds(compose["services"]["worker"]["stop_grace_period"]) > longest


def test_the_image_has_the_version_of_the_project(compose: Any, root: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert {compose["services"][name]["image"] for name in OURS} == {f"tierwise:{version}"}


def test_the_environment_is_made_of_settings(compose: Any, dotenv: dict[str, str], tmp_path: Path) -> None:
    """Every TIERWISE_ variable is one that `settings` understands, and together they are a valid configuration."""
    known = {names.variable(path) for path in reading.variables()}
    for name in OURS:
        for variable in compose["services"][name]["environment"]:
            assert variable in known, f"{name}: {variable}"
    for name in ("worker", "beat", "console"):
        assert compose["services"][name]["env_file"] == [".env"]
    ours = {key: value for key, value in dotenv.items() if key.startswith(names.PREFIX)}
    given = {**ours, **compose["services"]["worker"]["environment"], "TIERWISE_HOME": str(tmp_path)}
    found = settings.load(environ=given)
    assert found.database_url.startswith("postgresql://")
    assert found.broker_url == "redis://redis:6379/0"
    assert [*found.connections] == ["hubspot"]


def test_the_example_environment_is_complete_and_holds_no_secret(raw: Any, dotenv: dict[str, str], root: Path) -> None:
    asked = set(re.findall(r"\$\{(\w+)", json.dumps(raw)))
    assert asked <= set(dotenv)
    used = asked | {name for name in dotenv if name.startswith(names.PREFIX) or name.endswith("_API_KEY")}
    assert set(dotenv) == used, "a variable that nothing reads"
    for name, value in dotenv.items():
        if re.search(r"TOKEN|PASSWORD|KEY", name) and not name.startswith("SANDBOX"):
            assert value == "", name
    assert ".env" in (root / ".gitignore").read_text().splitlines()


def test_the_sandbox_lines_of_the_example_fit_the_sandbox(compose: Any, root: Path) -> None:
    lines = re.findall(
        r"^# (TIERWISE_CONNECTIONS__SANDBOX__\w+=.*)$", (root / ".env.example").read_text(), re.MULTILINE
    )
    found = settings.load(environ=dict(line.split("=", 1) for line in lines)).connections["sandbox"]
    command = compose["services"]["sandbox"]["command"]
    assert f"--token={found.secret('sandbox')}" in command
    assert found.options == {"base_url": "http://sandbox:8601"}
    assert "--hubspot-port=8601" in command
