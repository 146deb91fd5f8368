"""The door to pluggy: finds connectors, enrichers and notifiers by the entry point group `tierwise`, ours and a
stranger's alike.

Imports a plugin and asks it what it has; opening is the plugin's own code. Names no plugin.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, NamedTuple, TypeVar

import pluggy
import pydantic

from tierwise import errors
from tierwise.sdk import hooks
from tierwise.sdk.connector import Connection, Connector, ConnectorType
from tierwise.sdk.enricher import Enricher, EnricherType, Enriching
from tierwise.sdk.notifier import Notifier, NotifierType, Notifying

GROUP = hooks.PROJECT
Kind = ConnectorType | EnricherType | NotifierType
T = TypeVar("T", ConnectorType, EnricherType, NotifierType)

# Hook -> what it registers, and the word for it.
_HOOKS: dict[str, tuple[type[Kind], str]] = {
    "tierwise_connector_types": (ConnectorType, "connector"),
    "tierwise_enrichers": (EnricherType, "enricher"),
    "tierwise_notifiers": (NotifierType, "notifier"),
}
# What importing a stranger's module may raise, short of what must never be caught.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError,
)  # fmt: skip


class Installed(NamedTuple):
    """One type of the installed plugins."""

    kind: Kind
    distribution: str
    version: str


class Plugins:
    """The types of a set of entry points."""

    def __init__(self, entry_points: Iterable[metadata.EntryPoint]) -> None:
        """Imports them all. Misconfigured names the distribution that is broken, or two with the same type."""
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(hooks)
        self._found: dict[tuple[type[Kind], str], Installed] = {}
        for entry in sorted(entry_points, key=lambda entry: (_owner(entry), entry.name)):
            owner = _owner(entry)
            for kind, word in _ask(manager, entry):
                before = self._found.get((type(kind), kind.name))
                if before is not None:
                    raise errors.Misconfigured(
                        f"{word} type {kind.name!r} comes from {before.distribution} and from {owner}",
                        place="plugins",
                        remedy=f"uninstall one: pip uninstall {owner}",
                    )
                version = entry.dist.version if entry.dist is not None else ""
                self._found[type(kind), kind.name] = Installed(kind, owner, version)

    def installed(self) -> list[Installed]:
        """Every type: connectors, enrichers, notifiers, each in alphabetical order."""
        order = [kind for kind, _ in _HOOKS.values()]
        return sorted(self._found.values(), key=lambda one: (order.index(type(one.kind)), one.kind.name))

    def connector_types(self) -> dict[str, ConnectorType]:
        """By name, in alphabetical order."""
        return self._of(ConnectorType)

    def enricher_types(self) -> dict[str, EnricherType]:
        """By name, in alphabetical order."""
        return self._of(EnricherType)

    def notifier_types(self) -> dict[str, NotifierType]:
        """By name, in alphabetical order."""
        return self._of(NotifierType)

    def open_connector(self, connection: Connection) -> Connector:
        """The connection, open, with its options checked and completed. Misconfigured names option and remedy."""
        place = f"connections.{connection.name}"
        kind = _chosen(connection.type, self.connector_types(), "connector", place)
        options = _options(kind, connection.options, place)
        return kind.open(connection._replace(options=options.model_dump()))

    def checked_options(self, type_: str, options: Mapping[str, Any], *, place: str) -> dict[str, Any]:
        """The given options of a connector type as they are to be written into a file: paths absolute, numbers numbers.

        Misconfigured names option and remedy.
        """
        kind = _chosen(type_, self.connector_types(), "connector", place)
        checked: dict[str, Any] = _options(kind, options, place).model_dump(mode="json")
        return {name: checked[name] for name in options}

    def open_enricher(self, type_: str, enriching: Enriching) -> Enricher:
        """The enricher, open, with its options checked and completed. Misconfigured names option and remedy."""
        place = f"enrichers.{enriching.name}"
        kind = _chosen(type_, self.enricher_types(), "enricher", place)
        options = _options(kind, enriching.options, place)
        return kind.open(enriching._replace(options=options.model_dump()))

    def open_notifier(self, type_: str, notifying: Notifying) -> Notifier:
        """The notifier, open, with its options checked and completed. Misconfigured names option and remedy."""
        place = f"notifiers.{notifying.name}"
        kind = _chosen(type_, self.notifier_types(), "notifier", place)
        options = _options(kind, notifying.options, place)
        return kind.open(notifying._replace(options=options.model_dump()))

    def _of(self, wanted: type[T]) -> dict[str, T]:
        return {one.kind.name: one.kind for one in self.installed() if isinstance(one.kind, wanted)}


@functools.cache
def installed() -> Plugins:
    """What this environment has. Imported once a process."""
    return Plugins(metadata.entry_points(group=GROUP))


def connector_types() -> dict[str, ConnectorType]:
    """The connector types that are installed, by name."""
    return installed().connector_types()


def open_connector(connection: Connection) -> Connector:
    """A connection of an installed type, open. Misconfigured names connection, option and remedy."""
    return installed().open_connector(connection)


def needs_token(type_: str) -> bool:
    """Whether connections of the type log in. An unknown type does not: that it is unknown is told first."""
    kind = connector_types().get(type_)
    return kind is not None and kind.needs_token


def field_map(type_: str, options: Mapping[str, Any], *, place: str) -> str:
    """Name of the field map for a connection with these options; that of an unknown type is its own."""
    kind = connector_types().get(type_)
    if kind is None or kind.field_map is None:
        return type_
    return kind.field_map(_options(kind, options, place))


def _ask(manager: pluggy.PluginManager, entry: metadata.EntryPoint) -> list[tuple[Kind, str]]:
    owner = _owner(entry)
    found: list[tuple[Any, type[Kind], str]] = []
    try:
        plugin = entry.load()
        manager.register(plugin, name=f"{owner}:{entry.name}")
        manager.check_pending()  # a misspelt hook would be no hook at all, silently
        others = [other for other in manager.get_plugins() if other is not plugin]
        for hook, (wanted, word) in _HOOKS.items():
            answers = manager.subset_hook_caller(hook, others)()
            found += [(kind, wanted, word) for several in answers for kind in several]
    except (*_BROKEN, pluggy.PluginValidationError) as error:
        raise errors.Misconfigured(
            f"plugin {entry.name!r} of {owner} does not load: {type(error).__name__}: {error}",
            place=f"entry point {entry.value}",
            remedy=f"repair or remove it: pip install --force-reinstall {owner}, or pip uninstall {owner}",
        ) from error
    for kind, wanted, _ in found:
        if not isinstance(kind, wanted):
            raise errors.Misconfigured(
                f"plugin {entry.name!r} of {owner} registers a {type(kind).__name__}, not a {wanted.__name__}",
                place=f"entry point {entry.value}",
                remedy=f"ask the makers of {owner} for a version for this Tierwise",
            )
    return [(kind, word) for kind, _, word in found]


def _owner(entry: metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def _chosen(name: str, known: Mapping[str, T], word: str, place: str) -> T:
    kind = known.get(name)
    if kind is None:
        raise errors.Misconfigured(
            f"there is no {word} type {name!r}",
            place=f"{place}.type",
            remedy=_suggest(name, known) or "install the package that brings one",
        )
    return kind


def _options(kind: Kind, given: Mapping[str, Any], place: str) -> Any:
    try:
        return kind.settings.model_validate(dict(given))
    except pydantic.ValidationError as error:
        raise _wrong_option(error, place, known=kind.settings.model_fields) from None


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
