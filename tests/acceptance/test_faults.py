"""What bad input and missing neighbours print: one message with place and remedy, the right exit code, no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(120)


def _complains(result: Any, code: int, *words: str) -> None:
    assert result.code == code, (result.code, result.out, result.err)
    text = " ".join((result.out + result.err).split())
    assert "Traceback" not in text
    for word in words:
        assert word in text, f"'{word}' is not in: {text}"


def test_a_settings_file_with_a_typo(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "tierwise.toml").write_text("tick_seconds = 2\npol_seconds = 60\n")
    _complains(tierwise("config", "show"), 2, "tierwise.toml:2", "poll_seconds")


def test_a_settings_file_that_is_no_toml(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "tierwise.toml").write_text("tick_seconds = = 2\n")
    _complains(tierwise("config", "show"), 2, "tierwise.toml:1")


def test_no_broker(tierwise: Any) -> None:
    _complains(tierwise("worker"), 2, "TIERWISE_BROKER_URL", "tierwise run")


def test_a_broker_that_does_not_answer(tierwise: Any, tmp_path: Path) -> None:
    env = {"TIERWISE_BROKER_URL": "redis://127.0.0.1:1/0"}
    tierwise("db", "upgrade", env=env)
    _complains(tierwise("doctor", env=env), 3, "broker", "TIERWISE_BROKER_URL")


def test_a_database_that_does_not_answer(tierwise: Any) -> None:
    env = {"TIERWISE_DATABASE_URL": "postgresql://who:s3cret-pw@127.0.0.1:1/none"}
    result = tierwise("db", "upgrade", env=env)
    _complains(result, 3, "database")
    assert "s3cret-pw" not in result.out + result.err


def test_a_schema_that_is_out_of_date(tierwise: Any) -> None:
    _complains(tierwise("review", "list"), 2, "tierwise db upgrade")


def test_an_unknown_connection(tierwise: Any) -> None:
    tierwise("db", "upgrade")
    _complains(tierwise("connections", "check", "portal"), 2, "portal", "tierwise connections add")


def test_a_missing_token(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "tierwise.toml").write_text('[connections.portal]\ntype = "hubspot"\n')
    tierwise("db", "upgrade")
    _complains(tierwise("connections", "check", "portal"), 2, "TIERWISE_CONNECTIONS__PORTAL__TOKEN")


def test_a_crm_that_does_not_answer(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "tierwise.toml").write_text(
        '[connections.portal]\ntype = "hubspot"\ntoken = "t0p"\nbase_url = "http://127.0.0.1:1"\n'
    )
    tierwise("db", "upgrade")
    _complains(tierwise("connections", "enable", "portal"), 3, "127.0.0.1:1")


def test_a_token_that_is_refused(tierwise: Any, sandbox: Any, tmp_path: Path) -> None:
    box = sandbox(leads=0)
    (tmp_path / "tierwise.toml").write_text(
        f'[connections.portal]\ntype = "hubspot"\ntoken = "wr0ng-token"\nbase_url = "{box.hubspot_url}"\n'
    )
    tierwise("db", "upgrade")
    result = tierwise("connections", "enable", "portal")
    _complains(result, 3, "token")
    assert "wr0ng-token" not in result.out + result.err


def test_an_unknown_connector_type(tierwise: Any) -> None:
    _complains(tierwise("connections", "add", "x", "--type", "hubspt"), 2, "hubspt", "hubspot")


def test_a_rule_with_a_typo(tierwise: Any, tmp_path: Path) -> None:
    tierwise("init")
    rules = tmp_path / "rules" / "gates.rules.yaml"
    text = rules.read_text()
    assert "lead.email_kind" in text
    rules.write_text(text.replace("lead.email_kind", "lead.email_knid", 1))
    result = tierwise("policy", "check", ".")
    _complains(result, 1, "gates.rules.yaml", "email_knid", "email_kind")


def test_a_map_to_a_field_that_is_not_there(tierwise: Any, tmp_path: Path) -> None:
    tierwise("init")
    path = tmp_path / "rules" / "maps" / "hubspot.yaml"
    text = path.read_text()
    path.write_text(text.replace("  employee_count:", "  employe_count:", 1))
    _complains(tierwise("policy", "check", "."), 1, "maps/hubspot.yaml", "employe_count", "employee_count")


def test_files_that_are_no_leads(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"email": "a@b.example"}\nnot json\n')
    _complains(tierwise("score", "x.jsonl"), 2, "x.jsonl:2")
    _complains(tierwise("score", "missing.csv"), 2, "missing.csv")
    (tmp_path / "y.csv").write_text("colour,shape\nred,round\n")
    _complains(tierwise("score", "y.csv"), 2, "colour", "--map")


def test_called_wrongly(tierwise: Any) -> None:
    assert tierwise("nonsense").code == 2
    assert tierwise("poll").code == 2
    assert tierwise("demo", "--crm", "pipedrive").code == 2


def test_scores_of_a_file(tierwise: Any, tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text(
        "id,email,company,employee_count,country,source,message\n"
        "one,ana@kaspar-freight.example,Kaspar Freight,201-500,Germany,Demo request,We need a system before March\n"
        ",,,,,,\n"
    )
    result = tierwise("score", "leads.csv", "--json")
    assert result.code == 0, result.err
    first, second = result.json_lines()
    assert first["id"] == "one"
    shape = "id status score fit intent tier confidence calibrated outcome route reason_codes policy"
    assert list(first) == shape.split()
    assert 0 < first["score"] <= 100
    assert 0 <= first["confidence"] <= 1
    assert second["id"] == "2"
    assert second["status"] == "not_scorable"
    assert second["score"] is None
