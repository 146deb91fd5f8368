"""The line on which a key stands, whatever stands around it."""

from __future__ import annotations

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from tierwise.settings import places

TEXT = '''\
# a comment = "no key"
home = "x"

[pump]
"chunk" = 5   # after a value
note = """
[write]
lease_seconds = 1
"""
batch = [
  1,
  2,
]
[connections.hubspot-emea]
type = "hubspot"
connections.odd.key = { a = 1, b = 2 }
'''


def test_lines_are_those_a_person_sees() -> None:
    found = places.lines(TEXT)
    assert found["home",] == 2
    assert found["pump",] == 4
    assert found["pump", "chunk"] == 5
    assert found["pump", "note"] == 6, "a long text begins where its key stands"
    assert found["pump", "batch"] == 10
    assert found["connections", "hubspot-emea"] == 14
    assert found["connections", "hubspot-emea", "type"] == 15
    assert found["connections", "hubspot-emea", "connections", "odd", "key", "b"] == 16
    assert ("write",) not in found, "a table inside a text is none"


def test_a_missing_key_is_placed_at_its_table() -> None:
    found = places.lines(TEXT)
    assert places.line(found, ("pump", "seconds")) == 4
    assert places.line(found, ("nowhere",)) is None


@given(
    st.dictionaries(
        st.text("abc_-", min_size=1, max_size=4),
        st.one_of(st.integers(0, 9), st.text(max_size=12), st.lists(st.integers(), max_size=3)),
        min_size=1,
        max_size=6,
    )
)
def test_each_key_of_any_flat_file_is_found_on_its_own_line(data: dict[str, object]) -> None:
    text = "".join(
        f"{tomlkit.key(key).as_string()} = {tomlkit.item(value).as_string()}\n" for key, value in data.items()
    )
    assert places.lines(text) == {(key,): number for number, key in enumerate(data, start=1)}
