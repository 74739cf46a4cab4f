"""Telephone numbers, and numbers that are something else."""

from __future__ import annotations

import pytest

from gatekeeper.metrics._phone import phones


@pytest.mark.parametrize(
    "number",
    [
        "+41 (0)62 585 51 90",
        "+1-984-182-0190x565",
        "541-714-1388",
        "(579) 888-3058",
        "01.84.17.61.18",
        "0496 46 46 70",
        "001-518-640-0854",
    ],
)
def test_a_shape_that_says_so_itself(number: str):
    text = f"It is {number}, I think."
    assert [text[start:end] for start, end in phones(text)] == [number]


@pytest.mark.parametrize(
    "text",
    ["Call me at 467 3395.", "Phone:\n9472 7916", "Desk: 986 291 229", "her mobile is 699 956 915", "781 1704 fax"],
)
def test_a_word_beside_it_says_so(text: str):
    assert len(phones(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "It sold 467 3395 times.",
        "from 1939-1945, on 2024-11-21 and 21.11.2024",
        "Science, 317(5837), 472-476, doi.org/10.1126/science.1146930",
        "The LTM 11200-9.1 lifts 3000-6000 kg for $1234567 or 0.0002475 each.",
        "Call 800-273-8255 or (555) 123-4567, not (123) 456-7890.",
        "Call it 12 or 3.14159265",
        "stackoverflow.com/questions/5767325/how",
    ],
)
def test_other_numbers(text: str):
    assert phones(text) == []
