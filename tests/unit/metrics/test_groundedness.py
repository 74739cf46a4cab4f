"""What an answer states, against the context it was given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from gatekeeper.metrics import length_ratio
from gatekeeper.metrics.groundedness import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]

CONTEXT = (
    "Order 88231 was shipped to Ada Lovelace on 12 March. It cost 1,200.50 euros. The policy reads: refunds are paid"
    " within fourteen days, without exception."
)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("The order 88231 cost 1200.5 euros.", 1.0),
        ("The order 88232 cost 1,200.50 euros.", 0.5),
        ('It says: "Refunds are paid within fourteen days".', 1.0),
        ('It says: "refunds are paid within thirty days".', 0.0),
        ("It went to Ada Lovelace.", 1.0),
        ("It went to Charles Babbage on 12 March.", 0.5),
        ("The order of Lovelace is on its way; there were 3 others.", None),
        ("", None),
    ],
)
def test_shares(answered: Make, answer: str, share: float | None):
    assert score(answered(answer, context=CONTEXT)).value == share


def test_missing_claims_are_named_by_kind_and_place(answered: Make):
    found = score(answered("In 1999 it was sent.", context=CONTEXT))
    assert found.labels == {"groundedness": {"checked": 1, "missing": [{"kind": "number", "start": 3, "end": 7}]}}


def test_the_question_counts_as_known_and_no_context_is_no_score(answered: Make):
    asked = {"messages": [{"role": "user", "content": "Is 4711 my number?"}]}
    assert score(answered("Yes, 4711 is it.", context=CONTEXT, request=asked)).value == 1.0
    assert score(answered("It is 4711.")).value is None


def test_length_is_a_logarithm(answered: Make):
    assert length_ratio.score(answered(" abc\n")).value == pytest.approx(math.log(3))
    assert length_ratio.score(answered({"content": None, "tool_calls": []})).value is None
