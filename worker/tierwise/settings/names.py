"""How a setting is spelled: as a dotted key in `tierwise.toml` and as a variable of the environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

PREFIX = "TIERWISE_"
CONFIG = "TIERWISE_CONFIG"
"""Names the settings file; not a setting itself."""

Path = tuple[str, ...]
"""Where a value stands: ("connections", "hubspot-emea", "token")."""

_SECRET = re.compile(r"token(?!_(file|url|uri))|secret|passw|passphrase|private_key|api_?key|credential", re.IGNORECASE)


def dotted(path: Path) -> str:
    """The key as a person would write it."""
    return ".".join(path)


def variable(path: Path) -> str:
    """The environment variable of a setting; what is no letter or digit becomes `_`."""
    return PREFIX + "__".join(_flat(part).upper() for part in path)


def token_variable(connection: str) -> str:
    """The environment variable that holds a connection's token."""
    return variable(("connections", connection, "token"))


def same(written: str, name: str) -> bool:
    """Whether two spellings mean one connection: an environment variable cannot hold a `-`."""
    return _flat(written) == _flat(name)


def secret(key: str) -> bool:
    """Whether values under this key are never shown."""
    return _SECRET.search(key) is not None


def closest(word: str, known: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word.lower(), [*known], n=1, cutoff=cutoff)
    return found[0] if found else None


def _flat(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", text.lower())
