"""The door to pluggy: finds connectors by the entry point group `tierwise`, ours and a stranger's alike.

Imports a plugin and asks it what it has; opening a connection is the plugin's own code. Names no connector.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from importlib import metadata

import pluggy
import pydantic

from tierwise import errors
from tierwise.sdk import hooks
from tierwise.sdk.connector import Connection, Connector, ConnectorType

GROUP = hooks.PROJECT

# What importing a stranger's module may raise, short of what must never be caught.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError,
)  # fmt: skip


class Plugins:
    """The connector types of a set of entry points."""

    def __init__(self, entry_points: Iterable[metadata.EntryPoint]) -> None:
        """Imports them all. Misconfigured names the distribution that is broken, or two with the same type."""
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        self._types: dict[str, ConnectorType] = {}
        owners: dict[str, str] = {}
        for entry in sorted(entry_points, key=lambda entry: (_owner(entry), entry.name)):
            owner = _owner(entry)
            for kind in _ask(manager, entry):
                if kind.name in owners:
                    raise errors.Misconfigured(
                        f"connector type {kind.name!r} comes from {owners[kind.name]} and from {owner}",
                        place="plugins",
                        remedy=f"uninstall one: pip uninstall {owner}",
                    )
                owners[kind.name] = owner
                self._types[kind.name] = kind

    def connector_types(self) -> dict[str, ConnectorType]:
        """By name, in alphabetical order."""
        return dict(sorted(self._types.items()))

    def open_connector(self, connection: Connection) -> Connector:
        """The connection, open, with its options checked and completed. Misconfigured names option and remedy."""
        kind = self._types.get(connection.type)
        place = f"connections.{connection.name}"
        if kind is None:
            raise errors.Misconfigured(
                f"there is no connector type {connection.type!r}",
                place=f"{place}.type",
                remedy=_suggest(connection.type, self._types) or "install the package that brings one",
            )
        try:
            options = kind.settings.model_validate(dict(connection.options))
        except pydantic.ValidationError as error:
            raise _wrong_option(error, place, known=kind.settings.model_fields) from None
        return kind.open(connection._replace(options=options.model_dump()))


def connector_types() -> dict[str, ConnectorType]:
    """The connector types that are installed, by name."""
    return _installed().connector_types()


def open_connector(connection: Connection) -> Connector:
    """A connection of an installed type, open. Misconfigured names connection, option and remedy."""
    return _installed().open_connector(connection)


@functools.cache
def _installed() -> Plugins:
    return Plugins(metadata.entry_points(group=GROUP))


def _ask(manager: pluggy.PluginManager, entry: metadata.EntryPoint) -> list[ConnectorType]:
    owner = _owner(entry)
    try:
        plugin = entry.load()
        manager.register(plugin, name=f"{owner}:{entry.name}")
        manager.check_pending()  # a misspelt hook would be no hook at all, silently
        kinds = manager.subset_hook_caller(
            "tierwise_connector_types", [other for other in manager.get_plugins() if other is not plugin]
        )()
        found = [kind for several in kinds for kind in several]
    except (*_BROKEN, pluggy.PluginValidationError) as error:
        raise errors.Misconfigured(
            f"plugin {entry.name!r} of {owner} does not load: {type(error).__name__}: {error}",
            place=f"entry point {entry.value}",
            remedy=f"repair or remove it: pip install --force-reinstall {owner}, or pip uninstall {owner}",
        ) from error
    wrong = next((kind for kind in found if not isinstance(kind, ConnectorType)), None)
    if wrong is not None:
        raise errors.Misconfigured(
            f"plugin {entry.name!r} of {owner} registers a {type(wrong).__name__}, not a ConnectorType",
            place=f"entry point {entry.value}",
            remedy=f"ask the makers of {owner} for a version for this Tierwise",
        )
    return found


def _owner(entry: metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def _suggest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else ""


def _wrong_option(error: pydantic.ValidationError, place: str, *, known: Iterable[str]) -> errors.Misconfigured:
    """All that is wrong in one message. Values are left out: an option may hold a secret by mistake."""
    lines, remedies = [], []
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        option = ".".join(str(part) for part in found["loc"]) or "options"
        if found["type"] == "extra_forbidden":
            lines.append(f"{option}: there is no such option")
            remedies.append(_suggest(option, known))
        else:
            lines.append(f"{option}: {found['msg'].removeprefix('Value error, ')}")
    first = ".".join(str(part) for part in error.errors()[0]["loc"])
    return errors.Misconfigured(
        "; ".join(lines),
        place=f"{place}.{first}" if len(lines) == 1 and first else place,
        remedy="; ".join(filter(None, dict.fromkeys(remedies))),
    )
