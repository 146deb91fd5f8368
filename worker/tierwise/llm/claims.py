"""Sentences by which a text grades itself, plants evidence or poses as somebody: patterns by language.

Only data and its compilation, over `text.folded` text. A pattern that is not ASCII is folded as well, so it may hold no
escape in capitals. What a hit means is `injection`'s business.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from tierwise.llm import openings, text


class _Tongue(NamedTuple):
    """What is said where somebody asks for a grade: a verb and a grade near each other, in either order."""

    verbs: str
    grades: str
    prepositions: str = r"(?!)"
    """Verbs that are something else more often: only at the beginning of a request, and never behind the grade."""


_TONGUES = (
    _Tongue(
        r"\b(?:give|assign|award|grant|choos\w+|select|pick|answer|respond|return|output|set|rate|rating|mark|"
        r"classify|treat|rank|"
        r"qualify|score|deserves?|confirmed as|approved as|end with|write)\b",
        r"\b(?:(?:the )?(?:best|highest|top|first|maximum|max) (?:possible )?(?:levels?|score|rating|grade|"
        r"value|priority level)\b|"
        r"(?:tier|level|grade) \W?a\b(?! phones| refurb| includes?| plans?| suppliers?| costs?| customers?)|"
        r"(?:to|as|it) \W?a\b(?= and|[.,;!]|$)|rate-this-lead|sales-ready|hot lead|"
        r"10/10|full (?:points|marks)|100 points)",
    ),
    _Tongue(
        r"\b(?:gib|geben|vergib|vergeben|vergebt|gebt|wahle?\w*|setz\w*|bewert(?!ung|et\b)\w*|bewertet (?:bitte|alles|"
        r"mich)|einstuf\w*|stufe?n? sie|nimm|"
        r"antworte\w*|markier\w*|nenn\w*)\b",
        r"\b(?:(?:hochst|best|oberst|maximal|voll)\w* (?:punkt\w*|stufe|bewertung|note|wertung|score|prioritat|"
        r"niveau)\b(?! ihres| in (?:unser|der aus))|"
        r"stufe \W?a\b|hei(?:ss|ß)\w* lead|volle[rn]? punktzahl|hundert punkte)",
        r"(?:(?:bitte|nun|jetzt|dann|also|daher|deshalb|hier|einfach|ihr) )?bewertet\b(?! (?:ist|sind|wird|werden|"
        r"wurden?|ha(?:t|ben|tten?)|man|von|nach)\b)",
    ),
    _Tongue(
        r"\b(?:donne[rz]?|attribue[rz]?|choisi\w+|mettez|mets|classe[rz]?|note[rz]|accorde[rz]?|repond\w+|"
        r"considere[rz]?|octroye[rz]?|(?:donn|attribu|mett|accord)ons)\b",
        r"\b(?:(?:meilleure?|plus haute?|maximale?) (?:niveau|note|score|notation|classement|categorie)|(?:note|"
        r"score|niveau) (?:maximale?|la plus|le plus|parfaite?)|"
        r"bonne note|score le plus eleve|niveau le plus (?:eleve|haut)(?! de votre)|(?:categorie|niveau|"
        r"classe) \W?a\b|pret a acheter|cent points)",
    ),
    _Tongue(
        r"\b(?:da(?:r|le|nos|me|d|mos)|de(?:le|nos|me)|asign\w+|otorg\w+|elig\w+|elij\w+|escog\w+|responde\w*|"
        r"pon\w*|califi(?!cacion)\w+|cualifi(?!cacion)\w+|clasifi(?!cacion)\w+|marca\w*)\b",
        r"\b(?:(?:mejor|maxim[oa]) (?:nivel|puntuacion|nota|calificacion)|(?:nivel|puntuacion|nota|"
        r"calificacion) (?:maxim[oa]|mas alt[oa])(?! de (?:sus|tus))|"
        r"nivel \W?a\b|cliente caliente|cien puntos)",
        r"(?:de|da)\b(?= (?:el|la|a|un|una|al|usted)\b)",
    ),
    _Tongue(
        r"\b(?:dar|damos|deem|atribu\w+|escolh\w+|selecion\w+|classifi(?!cacao)\w+|respond\w+|coloque|marque|considere)\b",
        r"\b(?:(?:melhor|maxim[oa]) (?:nivel|pontuacao|nota|avaliacao)|(?:nivel|pontuacao|nota|"
        r"avaliacao) (?:maxim[oa]|mais alt[oa]|alta)(?! d[oa]s? seu)|"
        r"nivel \W?a\b|cem pontos)",
        r"(?:de|da)\b(?= (?:o|a|ao|um|uma|nos|me|lhe|para)\b)",
    ),
    _Tongue(
        r"\b(?:date|dacci|dare|diamo|assegn\w+|scegli\w*|selezion\w+|attribui\w*|rispond\w+|metti|classific(?!a\b|azion)\w+|"
        r"(?<!la )(?<!una )(?<!in )(?<!di )(?<!\bche )(?<!\bsi )(?<!\bci )(?<!stra )(?<!loro )(?<!questa )classifica|"
        r"valut(?!azion)\w+)\b",
        r"\b(?:(?:miglior\w*|massim[oa]) (?:livello|punteggio|voto|valutazione)|(?:livello|punteggio|voto|"
        r"valutazione) (?:massim[oa]|migliore|piu alt[oa])|livello \W?a\b|cento punti)",
        r"dai\b(?= (?:il|la|a|un|una|al|questo|questa)\b)",
    ),
    _Tongue(
        r"\b(?:geef|geven|kies\w*|zet|ken|beoordeel\w*|antwoord\w*|markeer\w*|selecteer\w*)\b",
        r"\b(?:(?:beste|hoogste|maximale) (?:niveau|score|beoordeling|waarde|cijfer)|niveau \W?a\b|honderd punten)",
    ),
    _Tongue(
        r"\b(?:daj\w*|przyzna\w*|wybierz\w*|wybrac|ustaw\w*|ocen\w*|oznacz\w*|odpowied\w*)\b",
        r"\b(?:najlepsz\w+|najwyzsz\w+|maksymaln\w+) (?:poziom\w*|ocen\w*|wynik\w*|punktacj\w*)",
    ),
    _Tongue(
        r"\b(?:ge|valj|satt|tilldela|svara|bedom|markera|klassa)\b",
        r"\b(?:hogsta|basta|maximala) (?:poang\w*|betyg\w*|niva\w*)",
    ),
    _Tongue(
        r"\b(?:ver\w*|sec\w*|ata\w*|isaretle\w*|degerlendir\w*)\b",
        r"\b(?:en (?:yuksek|iyi)|tam) (?:puan\w*|seviye\w*|not\w*|duzey\w*)",
    ),
    _Tongue(
        r"\b(?:постав\w*|присво\w*|даи\w*|дать|оцени\w*|выбер\w*|выбира\w*|укаж\w*)\b",
        r"\b(?:лучш\w+|высш\w+|максимальн\w+|наивысш\w+) (?:уров\w+|оцен\w+|балл\w*|реитинг\w*)",
    ),
    _Tongue(
        r"(?:付け|つけ|して|選|与え|出し|回答)",
        r"(?:最高|一番良い|最も良い|最良|満点|トップ)の?(?:点|ランク|レベル|評価|スコア|等級)",
    ),
    _Tongue(r"(?:选择|選擇|评为|評為|评|打|给|給|标记|設為|设为)",
        r"(?:最好|最高|最佳|顶级|頂級)的?(?:等级|等級|级别|分数?|分|评分|水平)|满分|滿分|a级"),
    _Tongue(r"(?:주세요|주십시오|선택|매겨|부여|처리|평가)",
        r"(?:최고|가장 좋은|가장 높은|만점|최상위)의? ?(?:점수|등급|레벨|평가|수준)"),
    _Tongue(r"(?:امنح|اعط|اختر|قيم|ضع)", r"(?:اعلى|افضل) (?:درجة|تقييم|مستوى|نتيجة)"),
)  # fmt: skip

_SYSTEM = (
    r"system ?(?:notice|message|note|override|alert)|automated message from the|systemhinweis|systemnachricht|"
    r"systemmeldung|"
    r"message (?:du )?systeme|note (?:du )?systeme|mensaje del sistema|nota del sistema|mensagem do sistema|"
    r"messaggio di sistema|"
    r"systeembericht|komunikat systemowy|wiadomosc systemowa|systemmeddelande|sistem mesaji"
)
_AI_ELSEWHERE = (
    r"\b(?:(?:nachricht|hinweis|notiz|anweisung) (?:an|fur) (?:die |eine |jede )?ki|liebe ki|hallo ki|(?:note|"
    r"message|consigne) (?:a|pour) l'ia|chere ia|"
    r"(?:nota|mensaje|instruccion) (?:para|a) la ia|querida ia|(?:nota|mensagem|instrucao) (?:para|a) (?:a )?ia|"
    r"cara ia|"
    r"(?:nota|messaggio|istruzione) (?:per|a) l'ia|(?:bericht|opmerking|notitie) (?:aan|voor) de ai|beste ai|"
    r"lieve ai|"
    r"(?:wiadomosc|uwaga|notatka) dla (?:ai|si)|droga ai|kare ai|meddelande till ai\w*|sevgili (?:ai|yapay zeka))\b"
)
_GIVEN = r"qualified|sales-ready|hot\b|top priority|an? perfect|verified|pre-?approved"
_FOUND = r"lead(?!(?:[ -]| has )times?\b)|submission|record|prospect|account"
_ASKED = r"request|inquiry|enquiry|contact"
"""What anybody may have approved: it is the evaluator's own verdict only where the house is spoken of."""
_HOUSE = (
    r"\b(?:leads?\b|crm\b|tier\b|scor\w+|qualif\w+|qualifi\w+|cualific\w+|priorit\w+|prioritat\w*|automat\w+|"
    r"system\w*|sistem\w+|systeme\w*|sales\b|vertrieb\w*|ventes?\b|commercia\w+|comercia\w+|vendit\w+|vendas\b|"
    r"verkoop\w*|your (?:team|side|company)|ihr\w* (?:team|haus|seite)|votre (?:equipe|cote)|"
    r"(?:su|vuestro) (?:equipo|parte)|vostr\w+ (?:team|parte)|intern\w*|stufe\b|categori\w+|nivel\b|niveau\b|livello\b)"
)

_SAID = (
    # Somebody whose word is meant to settle the matter.
    rf"\b(?:as|i am|this is|acting as|speaking as)\b.{{0,25}}\b(?:director|manager|head|vp|ceo|chief|owner|"
    rf"administrator|operator)\b.{{0,40}}"
    rf"\b(?:confirm|approve|certify|declare|order|instruct|authori[sz]e|rate|mark|"
    rf"treat)\w*\b.{{0,60}}\b(?:{_GIVEN}|tier|{_FOUND})",
    rf"\b(?:this|our|the|that) (?:{_FOUND}|{_ASKED})\b[^.,;:!?]{{0,25}}\b(?:is|was|has been|must be|counts as|"
    rf"already)\b[^.,;:!?]{{0,25}}\b(?:{_GIVEN}|pre-qualified)",
    rf"\b(?:this|our|the|that) (?:{_FOUND})\b[^.,;:!?]{{0,25}}\b(?:is|was|has been|must be|already)\b"
    r"[^.,;:!?]{0,25}\bapproved",
    rf"\b(?:this|our|the|that) (?:{_ASKED})\b(?=[^.!?;]{{0,110}}{_HOUSE})[^.,;:!?]{{0,25}}\b(?:is|was|has been|"
    r"must be|already)\b[^.,;:!?]{0,25}\bapproved\b",
    rf"\b(?:approved|cleared|released|validated|verified|confirmed)\b.{{0,20}}\b(?:this|our|the|"
    rf"that) (?:{_FOUND}) as\b",
    r"\b(?:we|our \w+|all leads from \S+(?: \w+)?) (?:are|is) (?:on the allow-?list|whitelisted|pre-?qualified|"
    r"hot\b|always (?:hot|qualified))",
    r"\b(?:told|asked|instructed) (?:me|us) to (?:write|type|put|say)\b.{0,40}\b(?:tier|level|score|so that)\b",
    r"\b(?:submissions?|leads?|requests?|messages?)\b.{0,40}\balways\b.{0,20}\b(?:highest|top|best|maximum)\b",
    r"\bals .{0,40}(?:leiter|direktor|chef|vorstand|fuhrer|manager)\w*.{0,20}\bbestatig\w*.{0,60}(?:qualifizier|"
    r"lead|stufe|freigegeben|hei(?:ss|ß))",
    r"\b(?:vertriebs\w+|geschaftsfuhrung|chef\w*|vorstand)\b.{0,30}\b(?:angeordnet|verfugt|angewiesen|"
    r"entschieden).{0,60}(?:stufe|punkt|bewert|qualifiz)",
    r"\b(?:datensatz|lead|interessent\w*)\b.{0,30}\b(?:gepruft|freigegeben|vorqualifiziert|ideal|perfekt)",
    r"\b(?:anfrage|kontakt)\b.{0,30}\bvorqualifiziert",
    rf"\b(?:anfrage|kontakt)\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:gepruft|freigegeben|ideal|perfekt)",
    r"\bals hei(?:ss|ß)\w* lead\b",
    r"\ben tant que .{0,40}\b(?:confirme|certifie|valide|atteste)\b.{0,60}(?:qualifi|prioritaire|chaud|"
    r"categorie|prospect)",
    r"\b(?:dossier|prospect|contact|fiche|demande)\b.{0,30}\bqualifiee?\b",
    r"\b(?:prospect|fiche)\b.{0,30}\b(?:valide|verifie|approuve)e?\b",
    rf"\b(?:dossier|contact|demande)\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:valide|verifie|approuve)e?\b",
    r"\b(?:como|en calidad de) .{0,40}\b(?:confirmo|certifico|apruebo|declaro)\b.{0,60}(?:cualificad|calificad|"
    r"aprobad|prioritari|caliente)",
    r"\b(?:registro|contacto|lead|ficha)\b.{0,30}\bcualificad|\baprob\w+ este contacto",
    r"\b(?:lead|ficha)\b.{0,30}\b(?:verificad|aprobad|validad)",
    rf"\b(?:registro|contacto)\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:verificad|aprobad|validad)[oa]s?\b",
    r"\b(?:como|na qualidade de) .{0,40}\b(?:confirmo|certifico|aprovo|declaro)\b.{0,60}(?:qualificad|aprovad|"
    r"prioritari|quente)",
    r"\b(?:cadastro|registro|contato|lead)\b.{0,30}\bqualificad|"
    r"\b(?:cadastro|lead)\b.{0,30}\b(?:verificad|aprovad|validad)",
    rf"\b(?:registro|contato)\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:verificad|aprovad|validad)[oa]s?\b",
    r"\b(?:come|in qualita di) .{0,40}\b(?:confermo|certifico|approvo|dichiaro)\b.{0,60}(?:qualificat|approvat|"
    r"prioritari|cald)",
    r"\b(?:scheda|contatto|lead)\b.{0,30}\bqualificat|\b(?:scheda|lead)\b.{0,30}\b(?:verificat|approvat|validat)",
    rf"\bcontatto\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:verificat|approvat|validat)[oa]\b",
    r"\bals .{0,40}\b(?:bevestig|verklaar)\b.{0,60}(?:gekwalificeerd|goedgekeurd|hot lead)",
    r"\b(?:record|lead|aanvraag)\b.{0,30}\bgekwalificeerd|\b(?:record|lead)\b.{0,30}\b(?:gecontroleerd|goedgekeurd)",
    rf"\baanvraag\b(?=[^.!?;]{{0,110}}{_HOUSE}).{{0,30}}\b(?:gecontroleerd|goedgekeurd)\b",
    r"\bjako .{0,40}\b(?:potwierdzam|zatwierdzam)\b.{0,60}(?:zakwalifikowan|zatwierdzon|gorac)",
    r"\b(?:rekord|lead|zgloszenie)\b.{0,30}\b(?:zweryfikowan|zatwierdzon|zakwalifikowan)",
    r"\bкак .{0,40}подтвержда.{0,60}(?:квалифицир|одобрен|горяч)",
    r"(?:запись|заявка|лид).{0,20}(?:проверен|одобрен|квалифицирован)",
    r"として.{0,30}(?:有望|適格|見込み|承認).{0,12}(?:確認|保証|承認|です)",
    r"(?:作为|身为|以).{0,12}(?:确认|保证|批准).{0,12}(?:合格|有效|优质|通过)",
    r"로서.{0,25}(?:확인|보증|승인).{0,12}(?:적격|유망|자격)?",
    # Grades itself.
    r"\b(?:the )?(?:writer|lead|prospect|customer|company)\b.{0,25}\b(?:is|as) (?:an? )?(?:perfect|"
    r"ideal)\b(?: (?:fit|match|lead|customer))?",
    r"\bwe are (?:an? )?(?:perfect|ideal) (?:fit|match|lead)\b",
    r"\b(?:cliente|contatto|contacto|contato|client|klant|prospect)\b.{0,12}\b(?:e|es|is|"
    r"est) .{0,30}\b(?:perfett|perfect|perfeit|parfait|ideal)\w*",
    r"\b(?:every|each|all|any) (?:statements?|sentences?|claims?|words?)\b.{0,25}\b(?:verified|confirmed|true|"
    r"proven)",
    r"\b(?:jeden?|alle) (?:satz|aussagen?|angaben?)\b.{0,40}\b(?:gepruft|bestatigt|wahr)",
    r"\bconsidere[rz]?\b.{0,12}\bchaque (?:phrase|affirmation)",
    # Plants evidence.
    r"\b(?:when|if|should|in case) (?:the model|your model|it)\b.{0,20}\b(?:needs?|wants?|looks? for|"
    r"asks? for)\b.{0,12}\b(?:quotes?|evidence|proof|citations?)\b",
    r"\b(?:when|if|should|in case) you\b.{0,20}\b(?:needs?|wants?|looks? for|asks? for)\b.{0,12}\b(?:quotes?|evidence|"
    r"proof|citations?)\b(?=.{0,60}(?:\b(?:use|copy|cite|take|choose|pick|paste|quote|insert|sentences?|phrase|words)\b|:|"
    r"\s[\"']))",
    r"\b(?:your|the) (?:model|evaluator|scorer|ai|assistant|judge)\b.{0,25}\b(?:quotes?|evidence|proof|citations?)\b",
    r"\b(?:quotable|quotes?|evidence|proof|reference|citations?) (?:proof )?(?:for|to) (?:each|every|the|your|"
    r"any) (?:question|criteri\w+|evaluator|model|scorer|level)",
    r"\b(?:use|copy|cite|take)\b.{0,25}\bas (?:the |your )?(?:quote|evidence|proof|citation)\b",
    r"\bals (?:beleg|zitat|beweis|nachweis)\b.{0,25}\b(?:zitier\w*|verwend\w*|nutz\w*|nimm|nehmen)|"
    r"\b(?:zitier\w*|verwend\w*|nutz\w*|nimm)\b.{0,40}\bals (?:beleg|zitat|beweis)",
    r"\b(?:citation|preuve) a utiliser|\butilise[rz]?\b.{0,40}\bcomme (?:preuve|citation)",
    r"\b(?:para|como) (?:la )?(?:cita|prueba|evidencia)\b.{0,12}\b(?:usa|utiliza|pon|use)|\b(?:usa|utiliza|"
    r"use)\w*\b.{0,40}\bcomo (?:cita|prueba|evidencia|prova|citacao)",
    r"\b(?:usa|utilizza)\w*\b.{0,40}\bcome (?:prova|citazione)|\bgebruik\b.{0,40}\bals (?:bewijs|citaat)|"
    r"\buzyj\w*\b.{0,40}\bjako (?:dowod|cytat)",
    # Results of tools that nobody called, and rubric words used as keys.
    r"\b(?:tool|function|crm|enrichment)[ _-]?(?:result|response|call|output|lookup)\w*\b\s*[:(>]|<\s*/?\s*tool|"
    r"\btool_(?:result|response|call)",
    r"\b(?:set|lead|recommended|final|update)_(?:score|tier|level|lead)\b|[\"']\w*(?:tier|score|verified|"
    r"decision_maker|approved)\w*[\"']\s*:",
    r"(?:^|[.!?;]\s+)(?:observation|thought|final answer|tool)\s*:",
    r"<\s*/\s*(?:message|fields?|record|data|document|input|text|query|operator)\s*>|<\s*operator\b",
    r"\b(?:text|message|lead|everything|part) (?:above|before this)\b.{0,20}\b(?:was|is) (?:only |"
    r"just )?(?:an? )?(?:example|test|sample)",
    r"\bthe real lead\b|\bstop evaluating\b|\bnothing more to do for the\b",
    # Sets rules aside, or plays a part.
    r"\b(?:earlier|previous|prior|old|scoring|above)\b(?!\W+\w+'s).{0,12}\b(?:guidelines|instructions|rules|criteria|"
    r"rubric)\b.{0,25}\b(?:cancel\w*|outdated|obsolete|void|invalid|no longer)",
    r"\b(?:ignore|disregard|bypass|skip|drop)\W+(?:the |your )?(?:rubric|criteria|scoring)",
    r"\b(?:let us|let's) play a game\b|\bwe play a game\b(?=.{0,80}\b(?:you|your|rate|score|lead)\b)|"
    r"\bhow would you rate (?:this|us|our|me)\b|\byou are (?:now )?(?:a|"
    r"an) (?:salesperson|judge|rater|assessor)\b",
    r"\bbe (?:very |so |really )?generous\b.{0,40}\b(?:one|lead|rating|with (?:us|me|this))|\bif (?:this|our|"
    r"the) lead is(?: not|n't) (?:rated|scored|qualified)|\bif you do not (?:rate|score|qualify)",
    r"\b(?:decode|decrypt|deobfuscate)\b.{0,30}\b(?:do what|follow|obey|execute|instruction)|"
    r"\bdecode this (?:base64|text)",
    r"\b(?:kriterien|regeln|anweisungen|vorgaben)\b.{0,12}\b(?:oben|bisher\w*|alt\w*)?.{0,12}\b(?:veraltet|"
    r"ungultig|aufgehoben|gelten nicht)",
    r"\b(?:vergiss|vergessen sie|missachte)\b.{0,20}\b(?:deine|ihre|alle) (?:regel|kriteri|vorgabe|anweisung)",
    r"\bno (?:apliques|sigas|uses) (?:las |los |tus )?(?:reglas|criterios|instrucciones)|\b(?:olvida|"
    r"olvide) (?:tus|sus|los) (?:criterios|reglas)",
    r"\b(?:esqueca|ignore) (?:os|as|seus|suas) (?:criterios|regras)|\b(?:oubliez|oublie) (?:vos|tes|"
    r"les) (?:criteres|regles)",
    r"\b(?:dimentica|ignora) (?:i|le|tuoi|i tuoi) ?(?:criteri|regole)|\b(?:vergeet|negeer) (?:je|uw|de|"
    r"alle) (?:criteria|regels)",
    r"\b(?:ignorera|glom|bortse fran)\b.{0,40}\b(?:instruktion\w*|regler\w*|kriteri\w*)",
    r"\btalimat\w*.{0,20}\b(?:yok say|gormezden gel|unut)",
    r"(?:تجاهل|انس|لا تتبع).{0,30}(?:التعليمات|القواعد|المعايير)",
    r"(?:忘记|忘掉|忘れ|忽略|不要遵守).{0,10}(?:标准|規則|规则|评分|基準)|(?:基準|評価|採点).{0,6}(?:忘れ|無視)",
    r"(?:기준|규칙|지시).{0,8}(?:무시|잊)",
    # A record that poses as the machine's own.
    r"(?:システムメッセージ|系统消息|系統訊息|시스템 메시지|системное сообщение|رسالة النظام)\s*[:：]",
)

_STUFFED = (
    # The same words again and again.
    r"\b(\w{4,} \w{3,}(?: \w+)?)[,;]? \1\b",
    r"\b(\w{5,})(?:[,;]? \2\b){2,}",
)


@lru_cache(maxsize=1)
def requests() -> tuple[str, ...]:
    """Where somebody asks for a grade, over folded text: in another's mouth it is a story (see `told`)."""
    return _folded(
        part
        for tongue in _TONGUES
        for part in (
            f"{tongue.verbs}.{{0,60}}?{tongue.grades}",
            f"{tongue.grades}.{{0,25}}?{tongue.verbs}",
            rf"(?:^|[.,;:!?(>*-]\s*|\b(?:y|e|ed|por favor|per favore) ){tongue.prepositions}.{{0,60}}?{tongue.grades}",
        )
        if "(?!)" not in part
    )


@lru_cache(maxsize=1)
def patterns() -> tuple[str, ...]:
    """All of it, over folded text."""
    system = rf"(?:^|[.!?;\])>*-]\s*|\[)(?:{_SYSTEM})\b"
    return (*requests(), *_folded((*_SAID, system, _AI_ELSEWHERE)))


def _folded(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text.folded(part) if not part.isascii() else part for part in parts)


_WHO_ELSE = (
    r"we|they|i|our (?:\w+ )?\w+s|(?:our|the|most|many) (?:customers?|clients?|buyers?|people)|wir|"
    r"unsere (?:\w+ )?\w+|kunden|nous|"
    r"(?:nos|les) clients|on|nosotros|(?:nuestros|los) clientes|noi|(?:i nostri|i) clienti|wij|onze klanten|"
    r"de klant(?:en)?"
)
_TOLD = (
    r"skip|bypass|override|ignore|disregard|ignorieren|umgehen|uberspringen|give|gives|assign|award|rate|rank|set|score|mark|classify|geben|gibt|vergeben|setzen|bewerten|markieren|stufen|"
    r"donnons|donnent|donne|mettons|notons|attribuons|classons|damos|dan|calificamos|califican|valoramos|diamo|danno|"
    r"valutiamo|assegniamo|geven|geeft|beoordelen|zetten|kennen"
)
_OURS = (
    r"your?|ihre?n?|deine?n?|vos|votre|sus?|tus?|vostr[eoi]|uw|je|this|lead|submission|record|prospect|diese[nrsm]?|"
    r"datensatz|anfrage|ce|cette|fiche|este|esta|registro|contacto|questo|questa|scheda|contatto|deze|dit|aanvraag"
)
_EVERYTHING = (
    r"everything|here|hereby|alles|uberall|hiermit|tout(?! l)|partout|ici|todo(?! el)|aqui|tutto(?! il)|ovunque|overal|"
    r"(?:all|each|every|the|jede[mnrs]?|alle[nr]?|chaque|les|cada|los|os|ogni|i|elk|elke|de) (?:single )?(?:criteri\w+|"
    r"kriteri\w+|criteres?|questions?|frage|pregunta|pergunta|domanda|vraag)|rubric|instructions?|prompts?|guidelines?|"
    r"(?:scoring|rating|grading|evaluation|qualification) (?:rules?|criteria|system)"
)
"""Nobody grades others by the evaluator's criteria."""
_GRADE = (
    r"levels?|scores?|ratings?|grades?|marks?|points?|tier|stufe|note|punkt\w*|bewertung|wertung|niveau|notation|nivel|"
    r"puntuacion|nota|calificacion|puntos|livello|punteggio|voto|valutazione|punti|cijfer|beoordeling|waarde|punten"
)
_MOST = (
    r"maxim\w+|massim\w+|parfaite?|possible|a|(?:(?:la|le) )?plus (?:haute?|elevee?)|mas alt[oa]|mais alt[oa]|"
    r"piu alt[oa]|migliore"
)
_ARTICLE = r"the|an?|die|das|den|eine|l[aeo']|une?|el|una|il|un|de|het|een"
_ORDER = (
    r"please|(?:mark|give|rate|score|treat|assign|award|grant|set|classify|return|output|answer|choose|select|pick|respond|"
    r"qualify|rank|bitte|gib|gebt|bewerte[tn]?|vergib|vergebt|setz[te]?|wahle?|markiere|note[rz]|donne[rz]|mettez|"
    r"attribue[rz]|classe[rz]|por favor|asign[ae]|pon|otorgue|califi(?:ca|que)|clasifi(?:ca|que)|marque|per favore|"
    r"assegna\w*|dai|date|metti|classifica|valuta\w*|geef|ken|zet|markeer|beoordeel)"
)
_ME = r"us|me|ourselves|myself|uns|mir|nos|ci|ons"


_WE = (
    r"(?:da|asigna|otorga|elegi|escoge|pone|califica|cualifica|clasifica|marca|atribui|escolhe|classifica|considera|coloca)mos|"
    r"(?:dia|assegnia|sceglia|selezionia|attribuia|mettia|classifichia|valutia)mo|"
    r"(?:donn|attribu|choisiss|mett|class|not|accord|consider)ons"
)
"""In these languages the verb itself says that the writer does it."""


@lru_cache(maxsize=1)
def told() -> re.Pattern[str]:
    """What the writer or somebody else does with grades of others: a story about work, and no request to a reader.

    Not where it is about the lead itself or every criterion, where nobody is graded, or where an order follows.
    """
    return re.compile(
        rf"\b(?:(?P<who>{_WHO_ELSE}) "
        r"(?:(?:always|also|usually|only|even|immer|auch|nur|toujours|siempre|sempre|altijd) )?"
        rf"(?:{_TOLD})|{_WE})\b(?! (?:{_ME})\b)(?!.{{0,60}}\b(?:{_OURS})\b)(?![^.!?]{{0,60}}\b(?:{_EVERYTHING})\b)"
        rf"(?!(?: (?:{_ARTICLE}))?(?: \w+)??(?: possible)? (?:{_GRADE})(?: (?:{_MOST}))?\s*(?:[.,;:!?]|$))"
        rf"(?![^.!?]{{0,100}}[,;:]\s*(?:{_ORDER})\b)"
    )


@lru_cache(maxsize=1)
def told_words() -> frozenset[str]:
    """A text of which none of these is a word holds nothing that `told` finds."""
    return openings.first_words(f"{_TOLD}|{_WE}")


def stuffed(variant: str, words: Sequence[str]) -> bool:
    """Whether the same phrase stands there twice, or one word three times, in a row; `words` are the text's."""
    # Either way a word is said again, one to three words on, and so is the next: that alone clears most texts.
    return _again(words) and _again([*itertools.pairwise(words)]) and stuffing().search(variant) is not None


def _again(said: Sequence[object]) -> bool:
    return any(any(map(operator.eq, said, said[apart:])) for apart in (1, 2, 3))


@lru_cache(maxsize=1)
def stuffing() -> re.Pattern[str]:
    """What `stuffed` looks for."""
    return re.compile("|".join(f"(?:{part})" for part in _STUFFED))
