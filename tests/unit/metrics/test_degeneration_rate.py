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
        ("I am happy to help you with that. " * 20, "stop", "repetition"),
        ("", "length", "empty, truncated"),
        ("", "content_filter", ""),
        ({"content": None, "refusal": "No."}, "stop", ""),
        ({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, "tool_calls", ""),
    ],
)
def test_reasons(answered: Make, answer: object, finish: str, reason: str):
    found = score(answered(answer, finish=finish))
    assert (found.value, found.reason) == (bool(reason), reason)
