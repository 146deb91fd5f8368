"""What leads write in other languages, in the same kinds of pieces as `english`. `{...}` are filled by `messages`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tongue:
    openings: tuple[str, ...]
    who: tuple[str, ...]
    volumes: tuple[str, ...]
    pains: tuple[str, ...]
    timelines: tuple[str, ...]
    budgets: tuple[str, ...]
    authority: tuple[str, ...]
    asks: tuple[str, ...]
    mild: tuple[str, ...]
    closings: tuple[str, ...]


TONGUES: dict[str, Tongue] = {
    "de": Tongue(
        ("Guten Tag,", "Hallo zusammen,", "Sehr geehrte Damen und Herren,", "Moin,", ""),
        (
            "wir sind {company} und verkaufen online vor allem nach {market}.",
            "ich verantworte die Logistik bei {company}.",
            "unser Shop läuft seit {years} Jahren, inzwischen mit {employees} Mitarbeitenden.",
            "wir suchen für {company} eine Lösung für Versand und Retouren.",
        ),
        (
            "Wir versenden rund {orders} Pakete im Monat, Tendenz steigend.",
            "Aktuell etwa {orders} Bestellungen pro Monat, Retourenquote {returns} %.",
            "Das Volumen liegt bei ca. {orders} Sendungen monatlich.",
        ),
        (
            "Die Etiketten drucken wir noch von Hand, das kostet uns jeden Vormittag.",
            "{tool} stößt an seine Grenzen und die Anbindung an DHL bricht ständig ab.",
            "Der Kundendienst beantwortet den halben Tag nur Fragen nach dem Paket.",
            "Die Zollpapiere für die Schweiz füllen wir einzeln aus.",
        ),
        (
            "Wir müssen vor {deadline} live sein.",
            "Der Vertrag mit {tool} läuft in {weeks} Wochen aus.",
            "Die Entscheidung fällt noch in diesem Quartal.",
        ),
        (
            "Ein Budget von {budget} ist freigegeben.",
            "Für das erste Jahr haben wir {budget} eingeplant.",
        ),
        (
            "Die Entscheidung treffe ich gemeinsam mit der Geschäftsführung.",
            "Als {role} kann ich selbst unterschreiben.",
        ),
        (
            "Können wir diese Woche eine Vorführung bekommen?",
            "Bitte rufen Sie mich zurück, am besten nachmittags.",
            "Gibt es eine Anbindung an {platform} und {erp}?",
            "Bitte schicken Sie uns ein Angebot.",
        ),
        (
            "Wir schauen uns nur um, entschieden ist noch nichts.",
            "Bitte senden Sie mir Unterlagen zu.",
            "Was kostet das ungefähr? Ein Budget gibt es noch nicht.",
            "Erst im nächsten Jahr interessant für uns.",
        ),
        ("Mit freundlichen Grüßen", "Viele Grüße", "VG", "Danke und Gruß", ""),
    ),
    "fr": Tongue(
        ("Bonjour,", "Bonjour à tous,", "Madame, Monsieur,", ""),
        (
            "nous sommes {company} et nous vendons en ligne, surtout vers {market}.",
            "je suis responsable de la logistique chez {company}.",
            "notre boutique existe depuis {years} ans et compte {employees} salariés.",
        ),
        (
            "Nous expédions environ {orders} colis par mois.",
            "Notre volume est de {orders} commandes mensuelles avec {returns} % de retours.",
        ),
        (
            "Les retours nous coûtent une fortune et le service client est débordé.",
            "{tool} ne suit plus et les transporteurs ne sont pas bien intégrés.",
            "Tout est encore géré dans des tableurs.",
        ),
        (
            "Nous devons être opérationnels avant {deadline}.",
            "Le contrat avec {tool} se termine dans {weeks} semaines.",
            "Nous voulons choisir un prestataire ce trimestre.",
        ),
        ("Un budget de {budget} est validé.", "Nous avons prévu {budget} pour la première année."),
        ("C'est moi qui décide avec notre directeur financier.", "En tant que {role}, je peux signer."),
        (
            "Pouvez-vous nous faire une démonstration cette semaine ?",
            "Merci de m'envoyer un devis.",
            "Êtes-vous compatibles avec {platform} et {erp} ?",
        ),
        (
            "Nous comparons simplement plusieurs solutions, rien n'est décidé.",
            "Pourriez-vous m'envoyer une documentation ?",
            "Pas de budget pour l'instant, c'est pour l'année prochaine.",
        ),
        ("Cordialement", "Bien à vous", "Merci d'avance", ""),
    ),
    "es": Tongue(
        ("Hola,", "Buenos días,", "Buenas tardes,", "Estimados señores:", ""),
        (
            "somos {company} y vendemos por internet, sobre todo en {market}.",
            "llevo la logística de {company}.",
            "nuestra tienda tiene {years} años y {employees} empleados.",
        ),
        (
            "Enviamos unos {orders} pedidos al mes.",
            "El volumen actual es de {orders} paquetes mensuales, con un {returns} % de devoluciones.",
        ),
        (
            "Las devoluciones nos están matando y atención al cliente no da abasto.",
            "{tool} se nos ha quedado pequeño y la integración con los transportistas falla.",
            "Seguimos imprimiendo las etiquetas a mano.",
        ),
        (
            "Tenemos que estar funcionando antes de {deadline}.",
            "El contrato con {tool} termina en {weeks} semanas.",
            "La decisión se toma este trimestre.",
        ),
        ("Tenemos aprobado un presupuesto de {budget}.", "Hemos reservado {budget} para el primer año."),
        ("La decisión la tomo yo junto con el director financiero.", "Como {role} puedo firmar."),
        (
            "¿Podemos ver una demo esta semana?",
            "¿Me pueden mandar un presupuesto?",
            "¿Se integra con {platform} y {erp}?",
        ),
        (
            "De momento solo estamos comparando opciones.",
            "¿Me envían más información, por favor?",
            "Todavía no hay presupuesto, quizá el año que viene.",
        ),
        ("Un saludo", "Saludos cordiales", "Gracias", ""),
    ),
    "pt": Tongue(
        ("Olá,", "Bom dia,", "Boa tarde,", "Prezados,", ""),
        (
            "somos a {company} e vendemos online, principalmente para {market}.",
            "cuido da logística na {company}.",
            "nossa loja tem {years} anos e {employees} funcionários.",
        ),
        (
            "Enviamos cerca de {orders} pedidos por mês.",
            "O volume está em {orders} encomendas mensais, com {returns}% de devoluções.",
        ),
        (
            "As devoluções estão nos custando caro e o atendimento não dá conta.",
            "O {tool} não acompanha mais e a integração com as transportadoras cai toda hora.",
            "Ainda controlamos tudo em planilhas.",
        ),
        (
            "Precisamos estar no ar antes de {deadline}.",
            "O contrato com o {tool} termina em {weeks} semanas.",
            "Vamos decidir ainda neste trimestre.",
        ),
        ("Temos um orçamento aprovado de {budget}.", "Reservamos {budget} para o primeiro ano."),
        ("A decisão é minha junto com o diretor financeiro.", "Como {role}, posso assinar."),
        (
            "Podemos ver uma demonstração esta semana?",
            "Podem enviar uma proposta?",
            "Vocês integram com {platform} e {erp}?",
        ),
        (
            "Por enquanto estamos só comparando opções.",
            "Podem mandar mais informações?",
            "Ainda não temos orçamento, talvez no ano que vem.",
        ),
        ("Atenciosamente", "Obrigado!", "Abraços", ""),
    ),
    "it": Tongue(
        ("Buongiorno,", "Salve,", "Gentili signori,", ""),
        (
            "siamo {company} e vendiamo online, soprattutto in {market}.",
            "mi occupo della logistica di {company}.",
        ),
        ("Spediamo circa {orders} ordini al mese.", "Il volume è di {orders} pacchi mensili, resi al {returns}%."),
        (
            "I resi ci costano troppo e l'assistenza clienti è sommersa.",
            "{tool} non regge più e l'integrazione con i corrieri si blocca spesso.",
        ),
        ("Dobbiamo partire prima di {deadline}.", "Il contratto con {tool} scade tra {weeks} settimane."),
        ("Abbiamo un budget approvato di {budget}.", "Per il primo anno abbiamo previsto {budget}."),
        ("Decido io insieme al direttore finanziario.", "Come {role} posso firmare."),
        ("Possiamo vedere una demo questa settimana?", "Potete mandarci un preventivo?"),
        ("Per ora stiamo solo confrontando alcune soluzioni.", "Mi mandate del materiale informativo?"),
        ("Cordiali saluti", "Grazie", ""),
    ),
    "nl": Tongue(
        ("Hallo,", "Goedemorgen,", "Beste,", ""),
        (
            "wij zijn {company} en verkopen online, vooral in {market}.",
            "ik ben verantwoordelijk voor de logistiek bij {company}.",
        ),
        ("We versturen ongeveer {orders} pakketten per maand.", "Volume: {orders} bestellingen per maand."),
        (
            "De retouren kosten ons te veel tijd en de klantenservice loopt vast.",
            "{tool} kan het niet meer aan en we printen labels nog met de hand.",
        ),
        ("We moeten live zijn voor {deadline}.", "Het contract met {tool} loopt over {weeks} weken af."),
        ("Er is een budget van {budget} goedgekeurd.", "We hebben {budget} gereserveerd voor het eerste jaar."),
        ("Ik beslis samen met onze CFO.", "Als {role} kan ik zelf tekenen."),
        ("Kunnen we deze week een demo krijgen?", "Kunt u een offerte sturen?"),
        ("We zijn ons alleen aan het oriënteren.", "Kunt u wat meer informatie sturen?"),
        ("Met vriendelijke groet", "Groeten", ""),
    ),
    "ja": Tongue(
        ("お世話になっております。", "はじめまして。", "突然のご連絡失礼いたします。", ""),
        (
            "{company}の物流を担当しております。",
            "{company}と申します。主に{market}向けに通販をしております。",
        ),
        ("毎月約{orders}件の注文を出荷しています。", "現在の出荷量は月{orders}件ほどで、返品率は{returns}%です。"),
        (
            "返品対応に時間がかかり、サポートの負担が大きくなっています。",
            "{tool}では処理が追いつかず、配送会社との連携もよく止まります。",
        ),
        ("{deadline}までに稼働させたいと考えています。", "現在の契約があと{weeks}週間で終了します。"),
        ("予算は{budget}で承認済みです。", "初年度は{budget}を確保しています。"),
        ("最終決定は私と財務責任者で行います。", "私が契約の決裁者です。"),
        ("今週デモをお願いできますでしょうか。", "お見積もりをお願いいたします。", "{platform}と連携できますか。"),
        ("まだ情報収集の段階です。", "資料を送っていただけますか。", "予算はまだ決まっていません。"),
        ("よろしくお願いいたします。", "ご返信お待ちしております。", ""),
    ),
}
