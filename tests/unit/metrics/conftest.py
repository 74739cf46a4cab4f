"""Exchanges for scorers, built from what a test cares about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def answered() -> Callable[..., Exchange]:
    """Give a maker of answered exchanges: a text (or a whole message), and any field of the exchange."""

    def make(answer: str | dict[str, Any] = "", *, finish: str = "stop", **fields: Any) -> Exchange:  # noqa: ANN401 - any field
        message = answer if isinstance(answer, dict) else {"role": "assistant", "content": answer}
        body = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
        return Exchange(**{"id": "x", "ts": 1.0, "arm": Arm.BASELINE, "response": body} | fields)

    return make
