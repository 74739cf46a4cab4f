"""Which language a text is in, as far as its script or its most common words tell."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import chain

from gatekeeper.metrics._words import words

MOST_WORDS = 120
FEWEST_HITS = 3
LEAST_SHARE = 0.15
PLAIN_SHARE = 0.25  # of the most common words of English: no other language shares so many
LEAD = 1.5
LEAST_FOREIGN = 0.15
FEWEST_LOOSE = 5
_SCRIPT_CHARS = 400
_SCRIPTS = (
    ("greek", r"[\u0370-\u03ff]"),
    ("cyrillic", r"[\u0400-\u04ff]"),
    ("hebrew", r"[\u0590-\u05ff]"),
    ("arabic", r"[\u0600-\u06ff]"),
    ("devanagari", r"[\u0900-\u097f]"),
    ("bengali", r"[\u0980-\u09ff]"),
    ("tamil", r"[\u0b80-\u0bff]"),
    ("thai", r"[\u0e00-\u0e7f]"),
    ("japanese", r"[\u3040-\u30ff]"),
    ("korean", r"[\uac00-\ud7af]"),
    ("han", r"[\u4e00-\u9fff]"),
)
_COMMON = {
    "english": "the of and to is in that it for you with on are this was be have from or by not can your which what how"
    " an as at will they there their but we do if more about",
    "german": "der die und das ist nicht ein eine zu den von mit sich des auf für im dem sie es auch werden wird sind"
    " oder wie bei aus nach ich wir kann einen einer zum zur durch über was man",
    "french": "le la les des et est une un du dans que qui pour pas sur au avec ce il sont plus par en vous nous cette"
    " ou ne se aux être comme mais votre leur elle",
    "spanish": "el la los las de que en un una es por con para del se no al como su más lo este esta son pero sus"
    " puede entre sobre también muy está",
    "italian": "il di che la un una per in del con non sono della le si gli da dei nel al alla più come anche"
    " questo delle ma lo essere può",
    "portuguese": "os as de que do da em um uma para é com não por no na dos se mais como mas ao das ou são você"
    " também pode seu sua",
    "dutch": "de het een en van is dat op te zijn met voor niet aan er om ook als bij door je naar kan uit wordt deze"
    " maar over of worden dit",
    "polish": "na do się nie że jest to jak od za przez dla są po co czy może być oraz które który tym lub",
    "swedish": "och att det är en som på av för med den till inte ett om har de kan från eller vi du man så detta",
    "turkish": "ve bir bu için ile de da olarak çok daha en gibi olan ne kadar var sonra veya değil her ancak ya",
    "indonesian": "yang dan di untuk dengan adalah ini dari dalam tidak pada ke itu dapat akan atau oleh anda saya",
}
_NAMED = re.compile(
    r"translat|langu|bilingual|multilingual|romaji|pinyin|\b(?:english|german|french|spanish|italian|portuguese|dutch|"
    r"polish|swedish|turkish|indonesian|chinese|mandarin|cantonese|japanese|korean|russian|ukrainian|greek|hebrew|"
    r"arabic|hindi|bengali|tamil|thai|vietnamese|latin|danish|norwegian|finnish|czech|hungarian|romanian|persian|farsi|"
    r"urdu|deutsch|englisch|français|anglais|español|inglés|italiano|inglese|português|inglês|nederlands|engels)\b",
    re.IGNORECASE,
)


def language(text: str) -> str | None:
    """Return a text's language, or its script when that is not Latin; None when too little speaks for one.

    A script counts from 15 % of the characters on. A language of the Latin script counts when at least 3 words and 15 %
    of the first 120 are among its most common, and 1.5 times as many as of any other.
    """
    return _script(text) or _latin(words(text)[:MOST_WORDS])


def switched(asked: str, answered: str, shown: str = "") -> bool:
    """Tell whether an answer is in another language than its question, changes half-way, or drops scraps of another.

    asked: what the user said last. shown: all that the model was shown; when either names any language, nothing counts
    as a switch.
    """
    said = words(answered)
    half = len(said) // 2
    spoken = {_latin(said[:MOST_WORDS]), _latin(said[half : half + MOST_WORDS]), _script(answered)} - {None}
    wanted = {_script(asked), _latin(words(asked)[-MOST_WORDS:])} - {None}
    apart = not spoken <= wanted if wanted else len(spoken) > 1
    if not (apart or _scraps(f"{asked}\n{shown}", answered)):
        return False
    return _NAMED.search(asked) is None and _NAMED.search(shown) is None


def _scraps(asked: str, answered: str) -> bool:
    """Tell whether letters of a script that the question has none of stand loose in the answer.

    At least 5 of them, in runs of 2 or more. Those in brackets, quotation marks or emphasis are names and examples.
    """
    if answered.isascii():
        return False
    scraps, foreign = _loose()
    if foreign.search(answered) is None:
        return False
    return sum(map(len, scraps.findall(answered))) >= FEWEST_LOOSE and foreign.search(asked) is None


def _script(text: str) -> str | None:
    """Return the script other than Latin that has at least 15 % of a text's characters."""
    if text.isascii() or len(text.encode(errors="surrogatepass")) < len(text) * (1 + LEAST_FOREIGN):
        return None
    part = text[:: 1 + len(text) // _SCRIPT_CHARS]
    visible = sum(not char.isspace() for char in part)
    counts = {name: len(pattern.findall(part)) for name, pattern in _scripts()}
    if counts["japanese"]:
        counts["japanese"] += counts.pop("han")
    best = max(counts, key=counts.__getitem__)
    return best if visible and counts[best] >= LEAST_FOREIGN * visible else None


def _latin(said: tuple[bytes, ...]) -> str | None:
    """Return the language whose most common words these are."""
    known = _common()
    english = len(list(filter(_english().__contains__, said)))
    if english >= max(FEWEST_HITS, PLAIN_SHARE * len(said)):
        return "english"
    seen = list(filter(known.__contains__, said))
    if len(seen) < max(FEWEST_HITS, LEAST_SHARE * len(said)):
        return None
    hits = Counter(chain.from_iterable(map(known.__getitem__, seen)))
    ranked = hits.most_common(2)
    if not ranked or ranked[0][1] < max(FEWEST_HITS, LEAST_SHARE * len(said)):
        return None
    return ranked[0][0] if len(ranked) == 1 or ranked[0][1] >= LEAD * ranked[1][1] else None


@cache
def _english() -> frozenset[bytes]:
    return frozenset(_COMMON["english"].encode().split())


@cache
def _common() -> dict[bytes, tuple[str, ...]]:
    """Return each common word with the languages that it is common in."""
    names: dict[bytes, tuple[str, ...]] = {}
    for name, listed in _COMMON.items():
        for word in listed.encode().split():
            names[word] = (*names.get(word, ()), name)
    return names


@cache
def _loose() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of loose runs and of any letter in the scripts above but Greek, which mathematics uses."""
    letters = "[" + "".join(pattern[1:-1] for name, pattern in _SCRIPTS if name != "greek") + "]"
    opened = r"""[(\[\uff08"'\u201c\u2018«*_`]"""
    return re.compile(rf"(?<!{opened})(?<!{letters})(?<!{letters}[ -]){letters}(?:[ -]?{letters})+"), re.compile(
        letters
    )


@cache
def _scripts() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(pattern)) for name, pattern in _SCRIPTS)
