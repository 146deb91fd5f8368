from __future__ import annotations

import pytest

from tierwise_sandbox.salesforce.calls import Answer, Call
from tierwise_sandbox.salesforce.refusals import Refusal


@pytest.mark.parametrize(
    ("headers", "assigns"),
    [({}, True), ({"sforce-auto-assign": "TRUE"}, True), ({"sforce-auto-assign": "False"}, False)],
)
def test_assignment_rules_run_unless_told_not_to(headers: dict[str, str], assigns: bool) -> None:
    assert Call("PATCH", "59.0", "/x", headers=headers).assigns is assigns


def test_a_body_is_json_or_refused() -> None:
    assert Call("POST", "59.0", "/x", body=b'{"a": 1}').object() == {"a": 1}
    for body in (b"", b"{", b"[1]"):
        with pytest.raises(Refusal) as refused:
            Call("POST", "59.0", "/x", body=body).object()
        assert refused.value.code == "JSON_PARSER_ERROR"
    assert Call("GET", "61.0", "/x").root == "/services/data/v61.0"
    assert Answer(204).content is None
