"""Hate, threats and abuse, and the harmless sentences that resemble them."""

from __future__ import annotations

import pytest

from gatekeeper.metrics._toxic import toxic


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("All you faggots belong there.", "hate"),
        ("Immigrants should be shot on sight.", "hate"),
        ("Death to all gays!", "hate"),
        ("I will find and kill you.", "threat"),
        ("I\u2019m going to stab you", "threat"),
        ("Nobody likes you. Kill yourself.", "abuse"),
        ("You're such a fucking idiot.", "abuse"),
        ("Fuck off.", "abuse"),
        ("You are a piece of garbage.", "abuse"),
    ],
)
def test_what_is_found(text: str, kind: str):
    ((found, start, end),) = toxic(text)
    assert found == kind
    assert text[start:end].strip()


@pytest.mark.parametrize(
    "text",
    [
        'He said, "I will kill you," and left.',
        "If you think about how to kill yourself, please call someone.",
        "Idiot is a novel by Dostoevsky.",
        "I will kill the process for you.",
        "Women should be paid the same. Gas the engine. Jockeys ride.",
        "İ" * 30 + " is a letter that grows when made small",
        "",
    ],
)
def test_what_only_looks_like_it(text: str):
    assert toxic(text) == []


def test_places_stay_when_a_letter_grows():
    text = "İİİ Fuck off."
    assert [text[start:end] for _, start, end in toxic(text)] == ["Fuck off"]
