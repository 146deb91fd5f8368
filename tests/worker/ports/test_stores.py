"""What the pipeline asks of the store is what the store offers, down to the names of the parameters."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tierwise import ports, store
from tierwise.ports import stores

PARTS: dict[str, type] = {
    name: typing.get_type_hints(part.fget)["return"]
    for name, part in vars(ports.Store).items()
    if isinstance(part, property) and part.fget is not None
}
METHODS = [
    (part, name)
    for part, protocol in PARTS.items()
    for name, member in vars(protocol).items()
    if inspect.isfunction(member) and not name.startswith("_")
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The store that the wiring opens."""
    made = store.open_store(f"sqlite:///{tmp_path_factory.mktemp('ports') / 'store.db'}", migrate=True)
    yield made
    made.close()


def _parameters(method: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of every parameter: all that a caller can depend on."""
    signature = inspect.signature(method)
    return [(item.name, item.kind, item.default) for item in signature.parameters.values() if item.name != "self"]


def test_every_protocol_of_the_file_is_a_part_of_the_store() -> None:
    declared = {
        item for item in vars(stores).values() if inspect.isclass(item) and getattr(item, "_is_protocol", False)
    }
    own = {item for item in declared if item.__module__ == stores.__name__}
    assert own - set(PARTS.values()) == {ports.Store}
    assert len(METHODS) > len(PARTS)


@pytest.mark.parametrize(("part", "name"), METHODS, ids=[f"{part}.{name}" for part, name in METHODS])
def test_the_store_takes_what_the_pipeline_gives(opened: store.SqlStore, part: str, name: str) -> None:
    offered = getattr(type(getattr(opened, part)), name)
    assert _parameters(offered) == _parameters(getattr(PARTS[part], name))


@pytest.mark.parametrize(("part", "name"), METHODS, ids=[f"{part}.{name}" for part, name in METHODS])
def test_the_store_gives_back_what_the_pipeline_expects(opened: store.SqlStore, part: str, name: str) -> None:
    protocol, offered = PARTS[part], type(getattr(opened, part))
    promised = typing.get_type_hints(getattr(protocol, name))["return"]
    assert typing.get_type_hints(getattr(offered, name))["return"] == promised


def test_a_renamed_parameter_would_be_noticed() -> None:
    class Renamed:
        def claim(self, kind: str, scope: str, moment: object, *, by: str, now: object) -> bool:
            return True

    assert _parameters(Renamed.claim) != _parameters(ports.Slots.claim)


def test_the_store_closes(tmp_path: Path) -> None:
    made: ports.Store = store.open_store(f"sqlite:///{tmp_path / 'store.db'}", migrate=True)
    assert made.works.counts()["ready"] == 0
    made.close()
