"""What the demo prints and how it is set up; that it works is an acceptance test."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tierwise.cli import demo, output, stack
from tierwise.errors import Misconfigured


@pytest.mark.parametrize(
    ("codes", "shown"),
    [(None, ""), ("", ""), ("A", "A"), ("A;B", "A, B"), ("A;B;C;D", "A, B +2")],
)
def test_a_line_shows_the_first_reasons(codes: str | None, shown: str) -> None:
    assert output.few((codes or "").split(";")) == shown


def test_settings_of_its_own_without_the_token(tmp_path: Path) -> None:
    sandbox = stack.Sandbox("http://127.0.0.1:5", "t0ken", "http://127.0.0.1:6")
    env = demo._configure(tmp_path, sandbox, demo.Options(model="openai/x", secondary="anthropic/y"))
    text = (tmp_path / "tierwise.toml").read_text()
    assert tomllib.loads(text)["connections"]["sandbox"]["base_url"] == "http://127.0.0.1:5"
    assert "t0ken" not in text
    assert (tmp_path / "token").read_text() == "t0ken"
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    assert not any("TOKEN" in name for name in env)
    assert env["TIERWISE_CONFIG"] == str(tmp_path / "tierwise.toml")
    assert (env["TIERWISE_MODEL__PRIMARY"], env["TIERWISE_MODEL__SECONDARY"]) == ("openai/x", "anthropic/y")
    assert "TIERWISE_DATABASE_URL" not in env


def test_an_org_has_settings_of_its_own_and_its_key_stays_out_of_them(tmp_path: Path) -> None:
    org = {"url": "http://127.0.0.1:7", "client_id": "3MVG9", "username": "jo@acme.com", "private_key": "-----BEGIN"}
    sandbox = stack.Sandbox("http://127.0.0.1:5", "t0ken", "http://127.0.0.1:6", org)
    env = demo._configure(tmp_path, sandbox, demo.Options(crm="salesforce"))
    text = (tmp_path / "tierwise.toml").read_text()
    assert tomllib.loads(text)["connections"]["sandbox"] == {
        "type": "salesforce", "my_domain": "http://127.0.0.1:7", "client_id": "3MVG9", "username": "jo@acme.com",
        "token_file": str(tmp_path / "token"),
    }  # fmt: skip
    assert "BEGIN" not in text
    assert (tmp_path / "token").read_text() == "-----BEGIN"
    assert "-----BEGIN" not in env.values()


def test_there_is_a_sandbox_for_every_kind_of_crm_that_can_be_asked_for() -> None:
    assert set(demo.SANDBOXES) == {"hubspot", "salesforce"}
    with pytest.raises(Misconfigured, match="pipedrive"):
        demo.demo(crm_type="pipedrive")


def test_a_lead_without_advice_shows_dashes_and_no_percent() -> None:
    assert demo._row({"id": "7", "properties": {}}) == ["7", "", None, None, None, None, None, ""]
