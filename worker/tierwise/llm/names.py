"""Where people write names: in greetings, introductions, closings and signatures, by language.

Patterns over a text whose lines are kept. No list of first names is used: such a list knows some peoples' names and
eats words that criteria are about. A name in the middle of a sentence, with nothing around it that tells, is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from tierwise.llm import openings


def words(listed: str) -> frozenset[str]:
    """A set of words from a line of them."""
    return frozenset(listed.split())


_UPPER = "".join(char for char in map(chr, (*range(0x41, 0x250), *range(0x370, 0x530))) if char.isupper())
PARTICLES = words(
    "von van vom zu zur zum de der den del della dei di da do dos das la le du des ten ter bin al el y e af"
)
_WORD = rf"[{_UPPER}](?:\w*['’][{_UPPER}])?\w*(?:-[{_UPPER}]?\w+)*"
_PARTICLE = r"(?:(?:v[ao]n|zu[rm]?|de[rnl]?|della|di|da|dos?|la|le|du|te[nr]|bin|al|el|y|af)[ ])"
_INITIAL = rf"[{_UPPER}]\."
_FIRST = rf"(?:{_INITIAL}[ ]?(?:{_INITIAL}[ ]?)?{_WORD}|{_WORD})"
_NEXT = rf"[ ](?:{_INITIAL}[ ]|{_PARTICLE}{{0,2}}){_WORD}"
# One to four words, initials and "van der" between them.
_NAME = rf"(?P<name>{_PARTICLE}{{0,2}}{_FIRST}(?:{_NEXT}){{0,3}})"
_FULL = rf"(?P<name>{_FIRST}(?:{_NEXT}){{1,3}})"
_END = r"(?=[ ]*(?:[,;|/(\[\n•·:!]|\.(?:\s|$)|[ ][-–—]|$))"

_PARTS = re.compile(r"(\w+)")
_LONGEST_ABBREVIATION = 4  # letters; also what stops a single letter from being a name

_TITLES = (
    r"mrs?|ms|miss|mx|dr|prof(?:essor)?|herrn?|frau|hr|monsieur|madame|mademoiselle|mme|mlle|mr|señora?|señorita|sra?|"
    r"don|doña|signora?|sig(?:\.ra)?|dott(?:\.ssa)?|dottor(?:e|essa)?|ing|meneer|heer|mevrouw|dhr|mevr|mw|senhora?|pani?|panem"
)
_GREETINGS = (
    r"dear|hi|hello|hey|hiya|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:tag|morgen)|moin|grüezi|"
    r"servus|sehr geehrte[rs]?|bonjour|salut|ch[eè]re?|bonsoir|hola|estimad[oa]|querid[oa]|buen[oa]s (?:días|tardes)|"
    r"ciao|buongiorno|buonasera|salve|gentile|caro|cara|gentilissim[oa]|beste|geachte|goedemorgen|goedemiddag|dag|"
    r"olá|oi|prezad[oa]|car[oa]|bom dia|boa tarde|dzień dobry|cześć|hej"
)
_CLOSINGS = (
    r"(?:(?:best|kind|kindest|warm|warmest|many)[ ])?regards|best wishes|all the best|sincerely(?: yours)?|"
    r"yours (?:sincerely|faithfully|truly)|rgds|"
    r"(?:mit[ ])?(?:(?:freundlichen?|besten?|vielen?|herzlichen?|liebe[n]?|schönen?)[ ])gr(?:ü(?:ß|ss)|uss|uess)en?"
    r"(?:[ ]aus[ ]\w+)?|mfg|lg|vg|hochachtungsvoll|"
    r"(?:bien[ ])?cordialement|bien à vous|sincères salutations|salutations(?: distinguées)?|bonne journée|"
    r"(?:un[ ])?(?:cordial[ ])?saludos?(?: cordiales)?|atentamente|un abrazo|"
    r"(?:(?:cordiali|distinti|cari)[ ])?saluti|un saluto|cordialmente|"
    r"(?:met[ ])?(?:(?:vriendelijke|hartelijke)[ ])groet(?:en|jes)?|groet(?:en|jes)?|mvg|"
    r"atenciosamente|abraços?|cumprimentos|com os melhores cumprimentos|pozdrawiam|z poważaniem|"
    r"med vänlig(?:a)? hälsning(?:ar)?|mvh|"
    r"cheers|(?:many[ ])?thanks(?: (?:again|a lot|so much|in advance))?|thank you|ta|danke(?: schön)?|"
    r"vielen dank|merci(?: d'avance)?|"
    r"(?:muchas[ ])?gracias|grazie(?: mille)?|bedankt|dank(?: je)?|obrigad[oa]|dziękuję|signed|gez"
)
_STRONG_INTRODUCTIONS = (
    r"my name is|my name's|the name's|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|mon nom est|me llamo|"
    r"mi nombre es|mi chiamo|il mio nome è|mijn naam is|ik heet|meu nome é|(?:eu )?me chamo|chamo-me|"
    r"nazywam się|mam na imię|jag heter|jeg hedder|jeg heter"
)
_INTRODUCTIONS = (
    r"i am|i['’]m|this is|it['’]s|here is|ich bin|hier (?:ist|spricht|schreibt)|je suis|c['’]est|ici|soy|le escribe|"
    r"sono|ik ben|sou(?: [oa])?|aqui é(?: [oa])?|jestem"
)
_AFTER_INTRODUCTION = (
    r"(?=[ ]*(?:,|\(|[-–—]|\.(?:\s|$))|[ ](?:from|of|at|with|here|and|von|vom|aus|bei|und|de|du|chez|et|del|desde|y|"
    r"di|della|da|dal|dalla|e|van|bij|en|do|z|i)\b)"
)
_PEOPLE = (
    r"(?:contact(?:er|ez)?|ask for|reach(?: out to)?|speak (?:to|with)|talk(?:ed)? (?:to|with)|"
    r"spoke (?:to|with)|call|cc|met|"
    r"email|loop in|copy|colleague|boss|assistant|partner|attn\.?:?|attention:?|contact person:?|referred by|"
    r"introduced by|ansprechpartner(?:in)?(?: ist|:)?|kolleg(?:e|in|en)|zu händen|z\.[ ]?hd\.?|"
    r"(?:sprechen|gesprochen|rücksprache|telefonat|gespräch) mit|"
    r"collègue|à l['’]attention de|contactez|demandez|parl(?:é|er) (?:à|avec)|joindre|colega|compañer[oa]|"
    r"(?:hablar|hablado|hablé) con|contacten? (?:a|con)|pregunten? por|"
    r"collega|parlare con|parlato con|contattare|chiedere di|referente(?: è|:)?|contactpersoon(?: is|:)?|"
    r"gesproken met|spreken met|vraag naar|falar com|falei com|contato:?|rozmawiał[ae]?m z)"
)
_ROLES = (
    r"(?:ceo|cfo|coo|cto|cio|cmo|vp|founder|co-founder|owner|director|manager|managing director|"
    r"geschäftsführer(?:in)?|leiter(?:in)?|chef(?:in)?|inhaber(?:in)?|einkäufer(?:in)?|"
    r"directeur|directrice|responsable|gérante?|acheteu(?:r|se)|directora?|gerente|jef[ea]|titolare|direttore|"
    r"direttrice|responsabile|directrice|eigenaar|inkoper|diretora?|sóci[oa]|prezes)"
)

# Words in capitals that stand where a name might and are none.
_NO_NAME = words(
    """
    team teams sir sirs madam all everyone everybody there support sales customer service folks guys hiring manager
    friends colleague colleagues zusammen damen herren alle tous toutes messieurs mesdames equipo todos todas señores
    tutti allen iedereen pessoal equipe équipe kollegen kolleginnen partner kunde kunden support-team vertrieb
    i we our my you your it the this that these please can could would looking forward kindly talk speak hope call
    email wir ich sie ihr bitte können könnten
    nous vous je notre merci pouvez nosotros quiero necesitamos podrían
    por siamo vorremmo potete wij graag kunt nós podem queremos not also still just currently interested happy sure
    head chief vp ceo cfo coo cto cio cmo director manager founder owner leiter leiterin geschäftsführer
    geschäftsführerin einkäufer einkäuferin inhaber inhaberin student studentin werkstudent assistent
    responsable directeur directrice gérant gérante acheteur responsabile direttore titolare eigenaar inkoper
    operations logistics purchasing procurement logistik einkauf versand logistique logística logistica compras
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni
    juli oktober dezember today tomorrow heute morgen grüße
    supply chain gmbh ag kg ohg ug ltd limited llc inc corp corporation sa sas sarl srl spa sl slu bv nv ab oy
    plc co company group
    holding gruppe groupe grupo gruppo shop store stores warehouse fulfilment fulfillment logistik shipping solutions
    systems software services consulting trading industries international foods partners department abteilung office
    b.v n.v s.a s.l s.r.l kontaktformular website webinar demo crm erp api wms shopify amazon ebay sap magento
    germany france spain italy europe deutschland berlin hamburg münchen paris london madrid milano amsterdam wien
    freundliche freundlichen viele vielen beste besten liebe lieben grüße grüßen gruß best kind regards warm thanks
    cordiali saluti saludos groet groeten cordialement
    zürich lyon barcelona roma torino rotterdam utrecht"""
)


class _Place(NamedTuple):
    """A pattern of where a name stands."""

    pattern: re.Pattern[str]
    alone: bool
    """A single word is believed."""
    words: frozenset[str] = frozenset()
    """A text that it is found in has one of these, small, as a word; empty where none is needed."""


def _after(cue: str, rest: str) -> tuple[str, str]:
    """A pattern that begins with one of the words of a cue, and the cue."""
    return rf"\b(?i:{cue}){rest}", cue


@lru_cache(maxsize=1)
def _cued() -> Mapping[str, tuple[tuple[int, _Place], ...]]:
    """By the word that a text must hold, small: the patterns that begin there, numbered.

    Six of the patterns begin with one of hundreds of words; trying them at every word of a text took most of the time
    that a lead took before its model was asked.
    """
    gap = r"(?:[ ]*[,.!:;|–—-]+[\s]*|[ ]*\n[ ]*[-–—~]*[ ]*)"
    sources = (
        (*_after(_TITLES, rf"\.?(?:[ ](?i:dr|prof|ing)\.?)?[ ]{_NAME}"), True),
        (*_after(_CLOSINGS, rf"(?:{gap}|[ ]){_NAME}{_END}"), True),
        (*_after(_STRONG_INTRODUCTIONS, rf"[ ]{_NAME}"), True),
        (*_after(_INTRODUCTIONS, rf"[ ]{_NAME}{_AFTER_INTRODUCTION}"), True),
        (*_after(_PEOPLE, rf"(?:,|:|[ ](?:is|ist|est|es|è))?[ ]{_FULL}"), False),
        (*_after(_ROLES, rf"(?:,|:|[ ]is|[ ]ist|[ ]est|[ ]es|[ ]è)?[ ]{_FULL}"), False),
    )
    found: dict[str, list[tuple[int, _Place]]] = {}
    for number, (source, cue, alone) in enumerate(sources):
        place = number, _Place(re.compile(source), alone)
        for word in openings.first_words(cue):
            found.setdefault(word, []).append(place)
    return {word: tuple(places) for word, places in found.items()}


@lru_cache(maxsize=1)
def _elsewhere() -> tuple[_Place, ...]:
    """Patterns that begin with no word of their own."""
    start = r"(?:^|[\n.!?][ ]*)"
    greetings, anything = openings.first_words(_GREETINGS), words("")
    sources = (
        (rf"{start}(?i:{_GREETINGS})[ ]{_NAME}(?=[ ]*(?:[,!.:;\n–—-]|$)|[ ][^\W{_UPPER}])", True, greetings),
        (rf"{start}{_NAME}[ ](?:here\b|hier\b|aqui\b)", True, words("here hier aqui")),
        # What stands before a dash is said behind it: the engine then looks for dashes, and not at every place.
        (rf"[-–—~](?<=[.!?,\n ].)[ ]*{_NAME}[ ]*$", True, anything),
        (rf"[.!?\n][ ]?(?P<name>{_INITIAL}[ ]?{_WORD}|{_FIRST}(?:{_NEXT}){{1,3}})[ ]*$", True, anything),
        # A line of its own near the end.
        (rf"\n{_FULL}[ ]*(?=[,|]|\n|$)(?=(?:[^\n]*\n?){{0,4}}$)", False, anything),
        (rf"{_FULL}[ ]*(?:[|•·]|,[ ](?=(?i:{_ROLES}|head of|chief|vp)\b))", False, anything),
    )
    return tuple(_Place(re.compile(source), alone, needed) for source, alone, needed in sources)


def found(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of what is written where names are; may overlap."""
    for alone, match in _matches(text):
        end = _without_others(match["name"])
        if end and (alone or " " in match["name"][:end]):
            yield match.start("name"), match.start("name") + end


def _matches(text: str) -> Iterator[tuple[bool, re.Match[str]]]:
    cued = _cued()
    # What is between words, and every second time a word.
    parts = _PARTS.split(openings.spelt(text))
    small = [*map(str.casefold, parts[1::2])]
    ends: dict[int, int] = {}
    start = counted = 0
    for at in [at for at, word in enumerate(small) if word in cued]:
        start += sum(map(len, parts[counted : 2 * at + 1]))
        counted = 2 * at + 1
        for number, place in cued[small[at]]:
            # As `finditer` does: what one match took is not searched again.
            if start >= ends.get(number, 0) and (match := place.pattern.match(text, start)):
                ends[number] = match.end()
                yield place.alone, match
    for place in _elsewhere():
        if not place.words or not place.words.isdisjoint(small):
            for match in place.pattern.finditer(text):
                yield place.alone, match


def _without_others(name: str) -> int:
    """How much of the match is a name: up to the first word that is none; 0 where it is a company's or begins so."""
    parts = list(re.finditer(r"[^ ]+", name))
    end = cut = 0
    for word in parts:
        plain = word.group().rstrip(".").casefold()
        if plain in _NO_NAME:
            # "Weber GmbH", "ShipFast Team": what stands before is no person either, save "Holt von Nordlicht Versand".
            return cut
        if plain in PARTICLES:
            cut = cut or end
        else:
            end = word.end()
    first = parts[0].group() if parts else ""
    abbreviated = len(parts) == 1 and first.isupper() and len(first) <= _LONGEST_ABBREVIATION
    return 0 if abbreviated else end
