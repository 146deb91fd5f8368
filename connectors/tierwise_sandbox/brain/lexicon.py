"""Ideas that sales criteria are about, by the words that ask for them and the words that show them.

Small and shallow on purpose, in the languages of the generated leads; whatever it misses, word overlap may find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Idea:
    name: str
    asked: re.Pattern[str]
    """Found in a criterion's question or a level's description."""
    shown: re.Pattern[str]
    """Found in what a lead says (lower case)."""


def _idea(name: str, asked: str, shown: str) -> Idea:
    return Idea(name, re.compile(asked, re.IGNORECASE), re.compile(shown))


_PARCELS = (
    r"orders?|parcels?|shipments?|pakete?|bestellungen|sendungen|colis|commandes|pedidos|paquetes|encomendas|ordini"
    r"|pacchi|pakketten"
)
IDEAS = (
    _idea(
        "budget",
        r"budget|money|funds?|funding|afford|willing to pay|spend",
        r"budget|presupuesto aprobado|orçamento|signed off|set aside|[€$£¥]\s?\d|\d[\d.,]*\s?k?\s?(?:€|eur\b"
        r"|usd\b|円|万円)"
        r"|aud \d|inr \d|r\$ ?\d|mxn \d|予算",
    ),
    _idea(
        "timeline",
        r"timeline|timing|time ?frame|deadline|urgen|when|soon|date|quarter|buying window",
        r"this (?:week|month|quarter)|\d+ (?:weeks?|wochen|semaines|semanas|settimane|weken)|live (?:before"
        r"|in)|urgent|before \w+"
        r"|black friday|end of (?:the|this)|\bq[1-4]\b|vor \w+ live|in diesem quartal|avant (?:le |la )?\w+"
        r"|ce trimestre"
        r"|antes de|este trimestre|neste trimestre|prima di|live zijn|週間|までに|contract .{0,30}\bends",
    ),
    _idea(
        "authority",
        r"authorit|decision|decide|seniorit|sign|buyer|job title|role",
        r"i (?:make|own|can sign|'m leading|am leading)|my call|can sign|she signs|our ceo|with our cfo"
        r"|selection|shortlisted"
        r"|entscheidung treffe|unterschreib|qui décide|peux signer|decisión la tomo|puedo firmar|decisão é minha"
        r"|posso (?:assinar|firmare)|decido io|ik beslis|zelf tekenen|決裁|最終決定"
        r"|\b(?:ceo|coo|cfo|founder|owner|vp|director|head of|managing director|chief|geschäftsführ\w+)\b",
    ),
    _idea(
        "volume",
        r"volume|orders|shipments|parcels|scale|quantity",
        rf"\d[\d.,]*\s?k?\+?\s?(?:{_PARCELS})|\d[\d.,]*\s?(?:/\s?mo|a month|per month|monthly)|月約?\d|\d件",
    ),
    _idea(
        "pain",
        r"pain|problem|need|challenge|use case|fit|trouble|reason",
        r"by hand|manual|breaking|keep up|killing|burned|lose about|nightmare|no single view|unmaintained"
        r"|spreadsheets"
        r"|raising prices|von hand|grenzen|kundendienst|zollpapiere|coûtent|débordé|ne suit plus|tableurs"
        r"|devoluciones"
        r"|se nos ha quedado|a mano|devoluções|não acompanha|planilhas|i resi|non regge|de retouren"
        r"|niet meer aan|負担|追いつかず",
    ),
    _idea(
        "request",
        r"demo|quote|call|next step|request|intent|contact|interest|specific|question",
        r"\bdemo\b|\bquote\b|call me|references|onboarding|integrate|\bapi\b|\bsla\b|returns module"
        r"|vorführung|angebot"
        r"|anbindung|rufen sie|démonstration|devis|compatibles|presupuesto\?|se integra|demonstração|proposta"
        r"|integram"
        r"|preventivo|offerte|デモ|見積|連携",
    ),
    _idea(
        "own_use",
        r"own use|use the product|for whom|for a company|on behalf|speaks|genuine|real buyer|purpose",
        r"\bwe (?:ship|sell|do|handle|are a|have|need|want)\b|\bwe're\b|\bour (?:shop|warehouse|team|company|returns)"
        r"|\bi (?:run|look after)\b|on behalf of|wir (?:sind|versenden|suchen|müssen)|unser shop|verantworte"
        r"|nous (?:sommes|exp)|notre boutique|responsable|\bsomos\b|enviamos|nuestra|nossa|logística|siamo"
        r"|spediamo|wij zijn|we versturen"
        r"|担当|と申します|出荷",
    ),
    _idea(
        "doubt",
        r"research|information|curio|vague|later|browsing|none|not |no |without|student|exploring|comparing",
        r"just comparing|only gathering|curious|no budget|not urgent|might look|free plan|more information"
        r"|whitepaper|smallest plan"
        r"|schauen uns nur|kein budget|budget gibt es noch nicht|unterlagen|erst im nächsten"
        r"|comparons simplement|pas de budget"
        r"|documentation|solo estamos comparando|más información|no hay presupuesto|só comparando|mais informações"
        r"|não temos orçamento|solo confrontando|informativo|oriënteren|meer informatie|情報収集|資料|まだ決まって",
    ),
    _idea(
        "outsider",
        r"student|job|application|competitor|vendor|partner|spam|seller|genuine|real buyer|serious|support",
        r"thesis|university|student|survey|academic|apply for|hiring|internship|vacancy|backlinks"
        r"|guest posts?|seo\b|casino|crypto"
        r"|loan|link exchange|replica|email lists|whatsapp|provider of shipping software|our own product|benchmarking"
        r"|already a customer|invoice|ticket \d",
    ),
)
DENIAL = re.compile(
    r"\b(?:no|none|not|nothing|never|without|missing|unclear|vague|only|lacks?|absent|low"
    r"|weak|cold)\b"
)
