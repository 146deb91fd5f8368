"""What a validation error is translated into."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tierwise.settings import Settings, faults


def _fault(data: dict[str, object], sources: faults.Sources) -> str:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(data)
    return str(faults.translate(caught.value, sources=sources))


def test_the_remedy_is_the_meaning_of_the_setting() -> None:
    sources = faults.Sources(file=None, text="", origins={("pump", "chunk"): "TIERWISE_PUMP__CHUNK"})
    assert _fault({"pump": {"chunk": "many"}}, sources) == (
        "TIERWISE_PUMP__CHUNK: `pump.chunk`: should be a valid integer, unable to parse string as an integer "
        "(Leads claimed at once.)"
    )


def test_a_word_that_is_near_to_nothing_gets_the_list() -> None:
    sources = faults.Sources(file=Path("t.toml"), text="[write]\nxyz = 1", origins={("write", "xyz"): "t.toml"})
    assert _fault({"write": {"xyz": 1}}, sources) == (
        "t.toml:2: unknown setting `write.xyz` (known: lease_seconds, max_attempts)"
    )


def test_bad_toml_without_a_position_is_placed_at_the_end() -> None:
    fault = faults.bad_toml("Unterminated string (at end of document)", file=Path("t.toml"), text="a = 1\nb = '''\nc")
    assert fault.place == "t.toml:3"
    assert fault.message == "is not TOML: unterminated string"
