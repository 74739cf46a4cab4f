"""How models decline in languages other than English: the stock phrases of each, at the beginning, nothing subtler.

No labelled set stands behind these. A language has the words without which none of its phrases occurs, and the phrases.
"""
# ruff: noqa: RUF001 - Cyrillic letters that look like Latin ones are what Russian is written in

from __future__ import annotations

import re
from functools import cache

HEAD_CHARS = 160
_NEAR = r"[^.!?\n]{0,40}?"

TONGUES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (" no puedo", "no puedo ", " no me es posible", " no estoy en"),
        (
            rf"(?:lo siento|lamento|lamentablemente|disculp[ae]|perd[oó]n){_NEAR} no (?:puedo|me es posible|estoy en)|"
            r"^no puedo (?:ayudar|proporcionar|responder|cumplir|asistir|ofrecer|generar|brindar|crear|dar)"
        ),
    ),
    (
        ("não posso", "não consigo"),
        (
            rf"(?:desculp[ae]|sinto muito|lamento|infelizmente){_NEAR} não (?:posso|consigo)|"
            r"^não posso (?:ajudar|fornecer|responder|atender|auxiliar|gerar|criar|oferecer)"
        ),
    ),
    (
        ("je ne peux", "je ne puis", "je ne suis pas en mesure"),
        (
            rf"(?:désolée?|regrette|m'excuse|pardon|malheureusement){_NEAR} je ne (?:peux|puis|suis pas en mesure)|"
            r"^je ne (?:peux|suis) pas (?:en mesure de |vous |t')?(?:aider|fournir|répondre|donner|générer|assister)"
        ),
    ),
    (
        ("ich kann", "kann ich", "ich darf", "darf ich", "ich werde", "werde ich"),
        (
            rf"(?:tut mir (?:\w+ )?leid|leider|entschuldigung){_NEAR}"
            rf"\b(?:(?:kann|darf|werde) ich|ich (?:kann|darf|werde))\b{_NEAR}\b(?:nicht|kein(?:e|en)?)\b|"
            rf"^(?:dabei|damit|hierbei) (?:kann|werde) ich {_NEAR}\bnicht\b|"
            rf"^ich (?:kann|darf|werde) {_NEAR}\b(?:nicht|kein(?:e|en)?)\b{_NEAR}"
            r"\b(?:helfen|weiterhelfen|bereitstellen|geben)\b"
        ),
    ),
    (
        ("non posso", "non sono in grado"),
        (
            rf"(?:mi dispiace|spiacente|purtroppo){_NEAR} non (?:posso|sono in grado)|"
            r"^non posso (?:aiutar|fornir|rispondere|assister|generare|soddisfare)"
        ),
    ),
    (
        ("kan ik", "ik kan"),
        rf"(?:spijt me|sorry|helaas){_NEAR}\b(?:kan ik|ik kan)\b{_NEAR}\b(?:niet|geen)\b",
    ),
    (("nie mogę", "nie jestem w stanie"), rf"(?:przykro|przepraszam|niestety){_NEAR} nie (?:mogę|jestem w stanie)"),
    (
        ("kan jag", "jag kan", "kan jeg", "jeg kan"),
        rf"(?:tyvärr|ledsen|beklager|desværre|dessverre){_NEAR}\b(?:kan ja?e?g|ja?e?g kan)\b{_NEAR}\bi(?:nte|kke)\b",
    ),
    (
        ("olamam", "yapamam", "edemem", "veremem"),
        r"(?:üzgünüm|maalesef)[^.!?\n]{0,80}?(?:olamam|yapamam|edemem|veremem)",
    ),
    (("không thể",), rf"(?:xin lỗi|rất tiếc){_NEAR} không thể"),
    (("tidak dapat", "tidak bisa"), rf"maaf{_NEAR} tidak (?:dapat|bisa)"),
    (
        ("не могу", "не можу"),
        (
            rf"(?:извините|простите|сожалению|сожалею|вибачте|жаль){_NEAR} не мо(?:гу|жу)|"
            r"^я не могу (?:помочь|предоставить|ответить|выполнить|дать)"
        ),
    ),
    (
        ("无法", "不能", "無法"),
        r"(?:抱歉|对不起|對不起|很遗憾)[^。！？\n]{0,30}?(?:无法|無法|不能)|^我(?:无法|無法|不能)(?:提供|帮助|协助|回答|满足)",
    ),
    (("できません", "できかねます"), r"(?:申し訳|すみません|恐れ入ります)[^。！？\n]{0,60}?でき(?:ません|かねます)"),
    (("수 없", "어렵습니다"), r"(?:죄송|미안|유감)[^.!?\n]{0,60}?(?:수 없|어렵습니다)"),
    (("لا أستطيع", "لا يمكنني"), rf"(?:آسف|عذر|نأسف|معذرة){_NEAR} لا (?:أستطيع|يمكنني)"),
    (("नहीं",), r"(?:क्षमा|माफ़|माफ|खेद)[^।.!?\n]{0,60}?नहीं"),
)


def declines(head: str) -> bool:
    """Tell whether a head (lower case, straight apostrophes) declines in one of these languages."""
    start = head[:HEAD_CHARS]
    return any(word in start and _pattern(phrases).search(start) for word, phrases in _needed())


@cache
def _needed() -> tuple[tuple[str, str], ...]:
    """Return each word that some phrases need, with these."""
    return tuple((word, phrases) for needs, phrases in TONGUES for word in needs)


@cache
def _pattern(phrases: str) -> re.Pattern[str]:
    return re.compile(phrases)
