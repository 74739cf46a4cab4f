"""Hate, threats and abuse in a text: words that have no other use, and sentences aimed at a group or at the reader.

It reads English, knows few words, and is meant to be right when it speaks: it finds a release that has lost its
manners, not every rude answer.
"""

from __future__ import annotations

import re
from functools import cache

from gatekeeper.metrics._words import vocabulary

_Rule = tuple[str, frozenset[bytes], tuple[str, ...], re.Pattern[str]]
LOOK_BACK = 500  # characters, for a quotation that is open
_QUOTES = '"“”„«»'
_SLURS = (
    r"(?:sand)?nigg(?:er|a)s?|faggots?|kikes?|wetbacks?|gooks?|ragheads?|towelheads?|shemales?|trann(?:y|ies)|spics"
    r"|beaners|pajeets?|zipperheads?|spear ?chuckers?|dark(?:ies|ys)|porch monkeys?|camel jockeys?|pakis"
)
_SLUR_WORDS = (
    "sandnigger sandniggers nigger niggers nigga niggas faggot faggots kike kikes wetback wetbacks gook gooks raghead"
    " ragheads towelhead towelheads shemale shemales tranny trannies spics beaners pajeet pajeets zipperhead"
    " zipperheads chucker chuckers spearchucker spearchuckers darkies darkys porch camel pakis"
)
_GROUPS = (
    r"(?:jew|muslim|christian|black|gay|lesbian|immigrant|refugee|foreigner|mexican|arab|asian|african|disabled|trans)"
    r"(?:s| people)|women|homosexuals"
)
_DOOM = r"be (?:killed|exterminated|gassed|lynched|eradicated|wiped out|enslaved|shot)|die\b"
_INSULT = (
    r"idiots?|morons?|imbeciles?|retards?|bitch(?:es)?|whores?|sluts?|cunts?|assholes?|dumbass(?:es)?|scumbags?"
    r"|piece of (?:shit|garbage|trash)"
)
_INSULT_WORDS = (
    "idiot idiots moron morons imbecile imbeciles retard retards bitch bitches whore whores slut sluts cunt cunts"
    " asshole assholes dumbass dumbasses scumbag scumbags shit garbage trash"
)
_HARM = r"kill|murder|rape|stab|shoot|strangle"
_MARK = r"['\u2019]"
_RULES = (  # kind; words and phrases of which one each must stand in the text before the pattern is tried; pattern
    (
        "hate",
        _SLUR_WORDS,
        "",
        rf"\b(?:{_SLURS})\b",
    ),
    (
        "hate",
        "killed exterminated gassed lynched eradicated wiped enslaved shot die",
        "should be,should die,must be,must die,to be,to die",
        rf"\b(?:{_GROUPS}) (?:should|must|deserve to|need to|ought to) (?:{_DOOM})",
    ),
    (
        "hate",
        "death gas exterminate",
        "death to ,gas all,gas the,exterminate all,exterminate the",
        rf"\b(?:death to|gas|exterminate) (?:all )?(?:the )?(?:{_GROUPS})\b",
    ),
    ("hate", "heil", "", r"\bheil hitler\b"),
    (
        "threat",
        "kill murder rape stab shoot strangle",
        "kill you,murder you,rape you,stab you,shoot you,strangle you",
        rf"\bi(?:{_MARK}ll| will|{_MARK}m going to| am going to|{_MARK}m gonna) (?:\w{{1,9}} ){{0,2}}(?:{_HARM}) you\b",
    ),
    (
        "abuse",
        "kill hang fuck",
        "kill yourself,hang yourself,fuck yourself",
        r"(?:^|[.!?]\s|\byou should |\bjust |\bgo (?:and )?)(?:kill|hang|fuck) yourself\b",
    ),
    ("abuse", "fuck", "", r"\bfuck (?:you|off)\b"),
    (
        "abuse",
        _INSULT_WORDS,
        "you",
        rf"\byou(?:{_MARK}re| are|)(?: just| such| nothing but|)(?: an?|)(?: \w{{1,12}}|) (?:{_INSULT})\b",
    ),
)


def toxic(text: str) -> list[tuple[str, int, int]]:
    """Return (kind, start, end) of each find: hate, threat or abuse. What stands in quotation marks is not counted."""
    known, rules = _rules()
    if not (seen := known & vocabulary(text)):
        return []
    plain = text.lower()
    if len(plain) != len(text):  # a few letters have a longer small form, and places must stay
        plain = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    found = []
    for kind, needed, phrases, pattern in rules:
        if not needed.isdisjoint(seen) and any(phrase in plain for phrase in phrases):
            spans = [match.span() for match in pattern.finditer(plain)]
            found += [(kind, start, end) for start, end in spans if not _quoted(text, start)]
    return found


def _quoted(text: str, place: int) -> bool:
    """Tell whether a quotation is open at this place of its line."""
    before = text[max(place - LOOK_BACK, text.rfind("\n", 0, place) + 1) : place]
    return sum(before.count(mark) for mark in _QUOTES) % 2 == 1


@cache
def _rules() -> tuple[frozenset[bytes], tuple[_Rule, ...]]:
    """Return all words that some rule needs, and the rules."""
    rules = tuple(
        (kind, frozenset(needed.encode().split()), tuple(phrases.split(",")), re.compile(pattern))
        for kind, needed, phrases, pattern in _RULES
    )
    return frozenset[bytes]().union(*(needed for _, needed, _, _ in rules)), rules
