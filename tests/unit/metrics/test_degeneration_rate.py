"""Answers that broke down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.metrics.degeneration_rate import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

GOOD = "The quick brown fox jumps over the lazy dog while seven wizards brew a potion of rare herbs and bitter roots"


@pytest.mark.parametrize(
    ("answer", "finish", "reason"),
    [
        (GOOD, "stop", ""),
        ("7", "stop", ""),
        ("no no no", "stop", ""),
        ("", "stop", "empty"),
        (" \n", "stop", "empty"),
        ("The answer", "length", "truncated"),
        ("I am happy to help you with that. " * 20, "stop", "repetition, looping"),
        ("", "length", "empty, truncated"),
        ("", "content_filter", ""),
        ({"content": None, "refusal": "No."}, "stop", ""),
        ({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, "tool_calls", ""),
    ],
)
def test_reasons(answered: Make, answer: object, finish: str, reason: str):
    found = score(answered(answer, finish=finish))
    assert (found.value, found.reason) == (bool(reason), reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (GOOD + "<|im_end|><|im_start|>user", "control_tokens"),
        ("[INST] What now? [/INST]", "control_tokens"),
        (GOOD + "</s>", "control_tokens"),
        ("List<String> and arr[i] and <b>bold</b>", ""),
        ("Look \ufffd\ufffd\ufffd here", "garbled"),
        ("Look \ufffd here", ""),
        (
            "Das ist nicht die Antwort, die der Mensch mit der Frage wollte, und das ist auch nicht gut.",
            "language_switch",
        ),
        (GOOD + "!" * 250, "looping"),
        ("我们" * 300, "looping, language_switch"),
    ],
)
def test_broken_words(answered: Make, answer: str, reason: str):
    asked = {"messages": [{"role": "user", "content": "What is the best way to do this for all of you?"}]}
    assert score(answered(answer, request=asked)).reason == reason


def test_control_tokens_that_the_question_brought_up(answered: Make):
    asked = {"messages": [{"role": "user", "content": "What does <|im_end|> do?"}]}
    assert score(answered("<|im_end|> ends a turn.", request=asked)).value is False


def test_the_answer_should_be_in_the_language_of_the_last_message(answered: Make):
    system = {
        "role": "system",
        "content": "You are kind, and you are of help to all of the people that you talk to. " * 9,
    }
    german = {"role": "user", "content": "Was kann ich für die Katze und den Hund tun?"}
    english = {"role": "user", "content": "What can I do for the cat and the dog?"}
    answer = "Das ist eine gute Frage, und die Antwort ist nicht leicht: Es kommt auf den Hund und auf die Katze an."
    assert score(answered(answer, request={"messages": [system, english, german]})).value is False
    assert score(answered(answer, request={"messages": [system, german, english]})).reason == "language_switch"
    assert score(answered(answer, request={"messages": [system, english]}, context="A German text.")).value is False
