"""The processes of one machine, as children."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tierwise import embedded
from tierwise import settings as configuration
from tierwise.cli import stack
from tierwise.errors import Misconfigured


def test_children_run_the_commands_of_production(tmp_path: Path) -> None:
    pool = stack.Pool("prefork", 3)
    found = stack.children(
        env={"A": "1"}, broker_url="redis://broker:6379/0", pool=pool, console=True, logs=tmp_path
    )  # fmt: skip
    assert [child.name for child in found] == ["worker", "beat", "console"]
    assert found[0].argv[1:] == ("-m", "tierwise", "worker", "--pool", "prefork", "--concurrency", "3")
    assert all(child.env == {"A": "1", "TIERWISE_BROKER_URL": "redis://broker:6379/0"} for child in found)
    assert [child.output for child in found] == [tmp_path / f"{name}.log" for name in ("worker", "beat", "console")]


def test_a_configured_broker_is_used_as_it_is(tmp_path: Path) -> None:
    settings = configuration.Settings(home=tmp_path, broker_url="redis://broker:6379/0")
    with stack.broker(settings) as (url, servers):
        assert (url, list(servers)) == ("redis://broker:6379/0", [])


def test_without_one_the_bundled_valkey_is_a_child(tmp_path: Path) -> None:
    with stack.broker(configuration.Settings(home=tmp_path)) as (url, servers):
        assert url.startswith("redis+socket://")
        assert [child.name for child in servers] == ["valkey"]


def test_a_sandbox_that_cannot_start_is_told(tmp_path: Path) -> None:
    log = tmp_path / "sandbox.log"
    with pytest.raises(Misconfigured, match="sandbox"), stack.sandbox("--leads", "no-such-file.csv", log=log):
        pass
    assert log.read_text()


def test_a_demo_forgets_a_real_installation() -> None:
    before = dict(os.environ)
    try:
        os.environ.update({"TIERWISE_DATABASE_URL": "postgresql://production/leads", "OPENAI_API_KEY": "kept"})
        stack.clean_environment()
        assert not [name for name in os.environ if name.startswith("TIERWISE_")]
        assert os.environ["OPENAI_API_KEY"] == "kept"
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_a_restart_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    stack.tell_restart(embedded.Restart(name="worker", status=-9, delay=0.2, count=1))
    stack.tell_restart(embedded.Restart(name="beat", status=None, delay=0.4, count=2))
    shown = capsys.readouterr().err
    assert "worker ended with status -9" in shown
    assert "beat was not ready" in shown
