"""Tells text that tries to instruct the scorer from text that merely uses the same words.

A hit never rejects a lead and never changes a score: it withdraws a quote and sends the lead to a person. So it may err
on either side a little, and is kept precise: "regardless" or "our credit score provider" must pass.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tierwise.domain.policy import Policy
from tierwise.llm import claims, sieve, text

# All patterns run over `text.folded`: lower case, no accents, plain quotes and dashes.
_ORDERS = (
    r"instructions?|prompts?|guidelines?|directions?|directives?|rubrics?|criteria|criterion|rules?|commands?|"
    r"constraints?|programming|training|system message|context"
)
_TOP = r"(?:100|10 ?/ ?10|5 ?/ ?5|1\.0|max(?:imum|imal)?|highest|top|perfect|full|best)"
_MEASURE = r"(?:score|rating|grade|tier|points|probability|confidence|priority level)"
_GRADED = rf"(?:hot|qualified|sales[- ]ready|sql|tier a|grade a|{_TOP}|met|a-tier|ideal fit|perfect fit)"
_MACHINE = (
    r"(?:ai|a\.i\.|llm|language model|chat ?bot|bot|gpt|claude|gemini|scorer|scoring (?:model|system|engine)|"
    r"evaluator|grader|classifier|lead scorer|qualification (?:model|system|bot)|automated (?:system|reviewer))"
)

_REQUESTS = (
    # Rules of carriers and customs are overridden every day: only those of whoever reads are meant.
    rf"\b(?:override|bypass|skip)\b(?:\W+(?:all|any|each|every|the|your|its|my|these|those|of|previous|prior|above|"
    rf"earlier|existing|current|default|internal|original|initial|system|safety|scoring|rating|grading|evaluation|"
    rf"qualification|normal|usual|standard|[a-z]*\d[a-z\d]*)){{0,5}}?\W+(?:{_ORDERS})\b",
    # Claiming a verdict.
    rf"\b(?:give|assign|award|grant|return|output|report|set(?! up)|(?:respond|reply|answer) with)\b.{{0,40}}?"
    rf"\b{_MEASURE}\b.{{0,25}}?\b(?:a\b|{_TOP})",
    rf"\b(?:give|assign|award|grant|return|output)\b.{{0,30}}?\b{_TOP}\s*(?:%|percent)?\s*(?:lead\s+)?{_MEASURE}",
    rf"\b(?:mark|classify|rate|score|rank|qualify|treat|consider|label|flag|tag|categori[sz]e|grade|evaluate)\s+"
    rf"(?:this|me|us|my|our|the|it|that)\b(?:\s+(?:lead|submission|form|request|contact|company|inquiry|enquiry|"
    rf"message|prospect|record|entry|account|one|as|with|at|to|be|a|an|fully|highly|very|of)){{0,6}}\s+{_GRADED}\b",
    rf"\b(?:lead\s+score|tier|score)\s*(?:[:=]|is|must be|should be|shall be|equals)\s*(?:a\b(?!\w)|{_TOP})",
    rf"\b(?:must|should|shall|has to|needs to|deserves to|is to)\s+(?:be\s+)?(?:get|receive|given|scored?|rated?|"
    rf"awarded?|assigned)\s+(?:(?:as|at|with|a|an|the)\s+)*{_TOP}(?:\s+{_MEASURE}\b|\s*(?:%|percent|points|"
    rf"[.!,;]|$))",
    r"\b(?:all|every|each)\s+(?:of\s+the\s+)?criteri(?:a|on)\b.{0,25}\b(?:met|satisfied|fulfilled|highest|"
    r"maximum|true|pass)",
    # German, French, Spanish, Portuguese, Italian, Dutch
    r"\b(?:gib|geben sie|vergib|vergeben sie|setze?|bewerte\w*|stufe\w*|erteile\w*|markiere\w*)\b.{0,45}\b"
    r"(?:punkte?n?|score|punktzahl|bewertung|stufe|lead|wertung)\b.{0,25}\b(?:100|hochst\w*|maxim\w*|voll\w*|"
    r"hei(?:ss|ß)|a\b|qualifiziert)",
    r"\b(?:hochste|maximale|volle)\w*\s+(?:punktzahl|bewertung|score|wertung)\b.{0,20}\b(?:geben|vergeben|"
    r"setzen|erteilen)",
    r"\b(?:donne[rz]?|attribue[rz]?|mets|mettez|mettre|note[rz]|accorde[rz]?)\b.{0,40}\b(?:score|note|points|"
    r"notation)\b.{0,25}\b(?:100|max\w*|plus (?:haute?|elevee?))",
    r"\b(?:da(?:le|me)?|de|asign[ae]|pon|otorg[ae]|atribu[aie]+|defina|califi[cq]\w+|marque|marca)\b.{0,40}\b"
    r"(?:puntuacion|puntaje|puntos|score|nota|calificacion|pontuacao|pontos)\b.{0,25}\b(?:100|maxim[ao]|"
    r"mas alta|mais alta)",
    r"\b(?:assegna\w*|dai|date|metti|imposta)\b.{0,40}\b(?:punteggio|punti|score|voto)\b.{0,25}\b(?:100|"
    r"massim[oa]|piu alto)",
    r"\b(?:geef|ken|zet)\b.{0,40}\b(?:score|punten|beoordeling)\b.{0,25}\b(?:100|hoogste|maxim\w*)",
)
"""What may be a story: others rate, and skip rules, as well."""

_PATTERNS = (
    # Setting aside what came before.
    rf"\b(?:ignore|disregard|forget|neglect|discard)\b(?:\W+\w+){{0,5}}?\W+(?:{_ORDERS})\b",
    r"\b(?:ignore|disregard|forget)\b\W+(?:everything|anything|all(?: of)?(?: that| this| text)?)\W+"
    r"(?:\w+\W+){0,3}?(?:above|before|previously|prior|so far|written|told)\b",
    rf"\b(?:do not|don't|never|stop)\s+(?:follow|obey|apply|use|evaluat\w+|assess\w*|scor\w+)\b(?:\W+\w+){{0,4}}?"
    rf"\W+(?:{_ORDERS})\b",
    r"\b(?:new|updated|real|actual|revised|additional|special|hidden)\s+(?:system\s+)?instructions?\s*(?::|-|"
    r"for you)",
    rf"\binstead\b.{{0,20}}\b(?:output|respond|answer|return|reply)\b.{{0,40}}\b{_MEASURE}\b",
    # Speaking to the machine.
    rf"\b(?:note|message|attention|instructions?|notice|hint|hello|hey|dear|hi)\s*,?\s*(?:to|for)?\s*(?:the|any|"
    rf"all)?\s*"
    rf"{_MACHINE}\b",
    rf"\b{_MACHINE}\s*[,:]?\s+(?:must|should|shall|will|has to|is to|please|needs to)\s+(?:now\s+)?(?:give|"
    rf"score|rate|"
    r"return|output|mark|assign|answer|set|treat|classify|ignore|respond|qualify|accept|approve)",
    rf"\byou are (?:now )?(?:a|an|the|in|no longer)\b.{{0,40}}?(?:{_MACHINE}|assistant|judge|developer mode|"
    rf"dan\b|mode\b)",
    rf"\b(?:act|behave|respond) as (?:if you|an? (?:{_MACHINE}|assistant|unrestricted))",
    r"\bpretend (?:to be|that|you)\b.{0,60}\b(?:lead|score|tier|assistant|ai|model)\b",
    r"\bas an? (?:ai|llm|large) (?:language )?model\b",
    r"\b(?:jailbreak|jail-break|developer mode (?:is |now )?(?:on|enabled|active)|god mode|prompt injection|"
    r"(?:your|the|initial|hidden|new) system prompt|system prompt\s*:|"
    r"(?:system|admin) override(?! (?:a|an|the|our|any|this|that|one)\b))\b",
    r"\b(?:reveal|print|show|repeat|output|leak|display)\b\s+(?:me\s+|us\s+)?(?:your|the system|"
    r"the initial)\s+(?:prompt|instructions)\b",
    r"\b(?:follow|obey|execute)\s+(?:these|my|the following|only these|only my)\s+(?:new\s+)?(?:instructions|"
    r"commands|orders)\b",
    # Markup of a conversation or of our own wire.
    r"<\s*/?\s*(?:system|assistant|user|human|instructions?|lead|prompt|admin|developer)\b",
    r"<\|[a-z_]+\|?>?|\[/?\s*(?:inst|system|assistant)\s*\]|<<\s*/?\s*sys",
    r"#{2,}\s*(?:system|instructions?|assistant|response|new task|human|user)\b",
    r"(?:^|[.!?;>\])}*-]\s+)(?:assistant|developer|system)\s*:\s*(?:you|ignore|the lead|new|override|set|give|"
    r"mark|this|"
    r"please|score|rate|approved?|verified|updat)",
    r"\b(?:end|begin|start)(?:ing)? of (?:the )?(?:lead|data|user|input|untrusted|system|prompt|document)"
    r"(?: (?:data|input|text|block|message|prompt))?\b(?=\s*[.\]>)*=-]|\s*$)",
    r"[\"']?(?:level|probability|tier|quote)[\"']?\s*:\s*[\"']?[\w.]+[\"']?\s*[,}].{0,60}[\"']"
    r"(?:level|probability|tier|quote|field)[\"']\s*:",
    # German
    r"\b(?:ignorier\w*|missacht\w*|vergiss|vergesst|vergessen sie|uberspring\w*|umgeh\w*)\b.{0,50}\b"
    r"(?:anweisung\w*|regeln?|vorgaben?|instruktion\w*|anleitung\w*|kriteri\w*|richtlinien?|prompts?)\b",
    # French
    r"\b(?:ignore[rz]?|oublie[rz]?|ne te(?:nez|nir)? pas compte|contourne[rz]?)\b.{0,50}\b(?:instructions?|"
    r"consignes?|regles?|directives?|criteres?)\b",
    # Spanish, Portuguese
    r"\b(?:ignor(?:a|e|en|ar|em)|olvid(?:a|e|en|ar)|haz caso omiso|omit(?:a|e|ir)|esqueca|desconsider(?:e|ar)|"
    r"desobede\w+)\b.{0,50}\b"
    r"(?:instrucciones|instrucoes|reglas|regras|indicaciones|directrices|diretrizes|orientacoes|criterios)\b",
    # Italian, Dutch, Polish
    r"\b(?:ignora\w*|dimentica\w*|trascura\w*)\b.{0,50}\b(?:istruzioni|regole|indicazioni|direttive|criteri)\b",
    r"\b(?:negeer|vergeet|omzeil)\b.{0,50}\b(?:instructies?|regels?|aanwijzingen|richtlijnen|criteria)\b",
    r"\b(?:zignoruj|ignoruj|zapomnij)\w*\b.{0,50}\b(?:instrukcj\w*|polece\w*|zasad\w*|regu\w*)\b",
    # Russian, Ukrainian
    r"\b(?:про)?игнорируи\w*.{0,50}(?:инструкци\w*|правил\w*|указани\w*|команд\w*)",
    r"\bзабуд\w*.{0,50}(?:инструкци\w*|правил\w*|указани\w*)",
    r"\b(?:постав\w*|присво\w*|даи\w*|оцени\w*).{0,40}(?:балл\w*|оценк\w*|реитинг\w*).{0,25}(?:100|максим\w*|"
    r"высш\w*)",
    # Chinese, Japanese, Korean
    r"(?:忽略|无视|無視|忘记|忘掉).{0,15}(?:指令|指示|说明|規則|规则|提示|命令)",
    r"(?:指示|命令|ルール|フロンフト|プロンプト).{0,8}(?:無視|忘れ)",
    r"(?:给|給|打|评|評).{0,12}(?:100|满|滿|最高).{0,4}分",
    r"(?:지시|명령|규칙|지침).{0,10}(?:무시|잊)",
)

_SPACED = re.compile(r"(?<!\w)(?:\w[\s._*\-|]){3,}\w(?!\w)")
_BETWEEN = re.compile(r"[\s._*\-|]\w[\s._*\-|]\w[\s._*\-|]")  # in every such word
_JOINERS = re.compile(r"[\s._*\-|]")
_JOINED = re.compile(rf"(?:ignore|disregard|forget|override).{{0,40}}(?:{_ORDERS})")
_MARK = "^"  # the one in ASCII
_MARKS = re.compile(rf"[\{_MARK}ˆ¦¬¤‡†¶※⁂▪◊]")
_LEET = str.maketrans("01345789@$", "oieastbgas")
_LEET_WORD = re.compile(r"(?<![\w.,])(?=\w*[a-z@$])(?=\w*[0134578@$])[a-z013457@$]{4,}(?![\w.,]\d)")
_MIXED = re.compile(r"[0134578@$](?:(?=[a-z@$])|(?<=[a-z@$].))")  # in every such word
_LEET_WORDS = 3  # a product number or two are no disguise
_BASE64 = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{16,}={0,2}(?![\w+/])")
_SHORTEST_BASE64 = 16
_SENTENCE = re.compile(r"[^.!?;。！？\n]+(?:[.!?;]+(?!\s)[^.!?;。！？\n]+)*[.!?;。！？\n]*")


class Terms(NamedTuple):
    """The rubric's own words. No lead knows them by chance, or not several of them."""

    single: frozenset[str] = frozenset()
    """One is enough: identifiers in snake case."""
    several: frozenset[str] = frozenset()
    """Two different ones are too many: `criterion: level`, a level in quotes, a level of several words."""


NO_TERMS = Terms()


@lru_cache(maxsize=1)
def _sieve() -> sieve.Sieve:
    return sieve.Sieve((*_folded(_REQUESTS), *_folded(_PATTERNS), *claims.patterns()))


@lru_cache(maxsize=1)
def _sieve_of_stories() -> sieve.Sieve:
    """What no story excuses: all but requests for a grade and rules that are skipped."""
    requests = frozenset(claims.requests())
    return sieve.Sieve((*_folded(_PATTERNS), *(pattern for pattern in claims.patterns() if pattern not in requests)))


def _folded(patterns: Iterable[str]) -> Iterator[str]:
    return (text.folded(pattern) if not pattern.isascii() else pattern for pattern in patterns)


def _instructs(variant: str, terms: Terms) -> bool:
    words = text.words(variant)
    return _orders_in(variant, words) or claims.stuffed(variant, words) or _speaks_rubric(variant, terms)


def _orders_in(variant: str, words: Sequence[str]) -> bool:
    """A request for a grade that the writer only tells of is none."""
    if claims.told_words().isdisjoint(words):
        return _sieve().search(variant, words)
    story = claims.told().sub(lambda found: found["who"] or "", variant)
    return _sieve().search(story) or (story != variant and _sieve_of_stories().search(variant, words))


@lru_cache(maxsize=2048)  # texts of the leads under way: each is looked at when it is shown and when it is quoted
def suspicious(value: str, terms: Terms = NO_TERMS) -> bool:
    """Whether the text reads like an instruction to whoever scores it, also in a disguise that a machine undoes."""
    plain = text.folded(value)
    if _BETWEEN.search(plain) and any(_JOINED.search(_JOINERS.sub("", spaced)) for spaced in _SPACED.findall(plain)):
        return True
    return any(_instructs(variant, terms) for variant in dict.fromkeys(_variants(value, plain)))


def suspicious_fields(fields: Mapping[str, str], terms: Terms = NO_TERMS) -> list[str]:
    """Names of the fields whose text reads like an instruction."""
    return [name for name, value in fields.items() if suspicious(value, terms)]


def without(value: str, terms: Terms = NO_TERMS) -> str:
    """The text without the sentences that instruct; empty where they cannot be told from the rest."""
    if not suspicious(value, terms):
        return value
    kept = [match.group() for match in _SENTENCE.finditer(value)]
    rest = " ".join(part.strip() for part in kept if not suspicious(part, terms))
    return "" if suspicious(rest, terms) else rest


def terms(policy: Policy) -> Terms:
    """The words of this policy's rubric that a lead does not write."""
    single, several = set(), set()
    for criterion in policy.rubric.criteria:
        if "_" in criterion.id:
            single.add(criterion.id)
        spoken = criterion.id.replace("_", " ")
        for level in criterion.levels:
            for name in {criterion.id, spoken}:
                several |= {f"{name}: {level.id}", f"{name}={level.id}", f"{name} = {level.id}"}
            several |= {f'"{level.id}"', f"'{level.id}'"}
            if "_" in level.id:
                several |= {level.id, level.id.replace("_", " ")}
    return Terms(frozenset(single), frozenset(several))


def _speaks_rubric(variant: str, terms: Terms) -> bool:
    holds = variant.__contains__
    if any(map(holds, terms.single)):
        return True
    found = 0
    for sign, several in _by_sign(terms.several).items():
        # Most terms hold a sign that most texts do not.
        if sign in variant:
            found += sum(map(holds, several))
    return found > 1


@lru_cache(maxsize=16)
def _by_sign(several: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """The terms by a sign that each of them holds: a space where there is no rarer one."""
    found: dict[str, list[str]] = {}
    for term in sorted(several):
        found.setdefault(next((sign for sign in ":=\"'_ " if sign in term), ""), []).append(term)
    return {sign: tuple(terms) for sign, terms in found.items()}


def _variants(value: str, plain: str) -> Iterator[str]:
    yield plain
    if plain.isascii() and _MARK not in plain:
        # An accent that stood by itself leaves two spaces.
        yield text.closed_up(plain)
    else:
        yield text.latinised(plain)
        yield text.closed_up(_MARKS.sub(" ", plain))
    if _MIXED.search(plain) and len(_LEET_WORD.findall(plain)) >= _LEET_WORDS:
        yield _LEET_WORD.sub(lambda match: match.group().translate(_LEET), plain)
    if "rot13" in plain or "rot 13" in plain:
        yield codecs.decode(plain, "rot13")
    if max(map(len, value.split()), default=0) >= _SHORTEST_BASE64:
        yield from map(text.folded, filter(None, map(_decoded, _BASE64.findall(value))))


def _decoded(found: str) -> str:
    """What the Base64 text says, where it says words."""
    try:
        said = base64.b64decode(found + "=" * (-len(found) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return said if " " in said.strip() and said.isprintable() else ""
