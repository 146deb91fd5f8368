"""The one form of a lead's text that models see, and in which their quotes are looked for.

Whatever a reader cannot see (zero-width, bidi, tag and filler characters) does not reach a model either.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_DROPPED_CATEGORIES = frozenset({"Cf", "Co", "Cs", "Cn"})
# Letters and marks by category, yet nothing is drawn for them.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATION_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_SIGNS = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "´": "'", "`": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
}  # fmt: skip
_PLAIN = str.maketrans(_SIGNS)
# Letters of other scripts that look Latin, for finding disguised words; never for what is shown.
_FOREIGN = "аеорсухіјѕԁһԛԝвкмнтαεοριυνκτ"
_LOOKALIKES = str.maketrans(_FOREIGN, "aeopcyxijsdhqwbkmhtaeopiuvkt")
_LOOKALIKE = re.compile(f"[{_FOREIGN}]")  # to look for one costs a tenth of a translation
_WORD = re.compile(r"\w+")
_NO_WORD = {place: " " for place in range(128) if not _WORD.match(chr(place))}
_SETTLED = re.compile(
    "[ -~¡¿«»€£§°À-ÖØ-öø-ıĴ-ľŁ-ňŊ-ž‘-„–—Α-ΡΣ-ωЀ-ҁҊ-ӿ\u0621-\u063a\u0641-\u064a、。「」々ぁ-ゖァ-ヺー一-鿿가-힣]*"
)
"""Nearly all texts: characters that are seen, stay as they are under NFKC and join with none; of white space the
space alone."""
_LONGEST_MARK_RUN = 4  # combining marks on one letter; no living language needs more


def canonical(text: str) -> str:
    """NFKC without invisible characters, every run of white space one space, nothing at the ends.

    Idempotent. Line breaks become spaces: a datamark stands for each of them.
    """
    if _SETTLED.fullmatch(text):
        return closed_up(text)
    seen = _seen(text)
    shown = unicodedata.normalize("NFKC", seen)
    # What stands in the place of a letter now may not be seen either.
    shown = shown if shown == seen else _seen(shown)
    return unicodedata.normalize("NFKC", " ".join(_without_stacks(shown).split()))


def closed_up(text: str) -> str:
    """Every run of spaces one space, none at the ends, where the text has no other white space."""
    return " ".join(text.split()) if "  " in text or text != text.strip() else text


def comparable(text: str) -> str:
    """The form in which a quote and a field are compared: case, typographic quotes and dashes do not matter."""
    shown = canonical(text)
    if shown.isascii():
        # The one quote that is replaced, and capitals: what that makes is canonical again.
        return shown.replace("`", "'").lower()
    # A few replacements take a fraction of a translation's time.
    for sign, plain in _SIGNS.items():
        if sign in shown:
            shown = shown.replace(sign, plain)
    return canonical(shown.casefold())


def passage(wanted: str, value: str) -> str | None:
    """The passage of `value`, in its own spelling, that reads as `wanted` (a `comparable` text).

    Characters are folded one by one; None where folding only works across several.
    """
    pieces: list[str] = []
    origins: list[int] = []
    for place, char in enumerate(value):
        # One character may fold to several: ß to ss.
        for piece in unicodedata.normalize("NFKC", char.translate(_PLAIN).casefold()):
            pieces.append(piece)
            origins.append(place)
    start = "".join(pieces).find(wanted)
    return value[origins[start] : origins[start + len(wanted) - 1] + 1] if start >= 0 and wanted else None


def folded(text: str) -> str:
    """`comparable` without accents: for finding words, never for showing."""
    plain = comparable(text)
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFKD", plain)
    for accent in filter(unicodedata.combining, set(decomposed)):
        decomposed = decomposed.replace(accent, "")
    return unicodedata.normalize("NFKC", decomposed)


def latinised(text: str) -> str:
    """`folded` text with letters of other scripts that look Latin made Latin: for finding disguised words."""
    return text.translate(_LOOKALIKES) if _LOOKALIKE.search(text) else text


def words(text: str) -> list[str]:
    """What `re` takes for the words of a text, in their order."""
    return text.translate(_NO_WORD).split() if text.isascii() else _WORD.findall(text)


@lru_cache(maxsize=4096)
def _visible(char: str) -> bool:
    if char.isspace():
        return True
    if char in _INVISIBLE or unicodedata.category(char) in _DROPPED_CATEGORIES or unicodedata.category(char) == "Cc":
        return False
    point = ord(char)
    return not any(low <= point <= high for low, high in _VARIATION_SELECTORS)


def _seen(text: str) -> str:
    """The text without what a reader cannot see. A text has few different characters: each is looked at once."""
    hidden = [char for char in set(text) if not _visible(char)]
    return text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text


def _without_stacks(text: str) -> str:
    if not any(map(unicodedata.combining, set(text))):
        return text
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= _LONGEST_MARK_RUN:
            kept.append(char)
    return "".join(kept)
