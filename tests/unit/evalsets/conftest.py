"""The shipped evalsets, read once, and a way to answer them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.evalsets import read_evalset

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.evalset import EvalSample, Evalset

SHIPPED = Path(__file__).parents[3] / "evalsets"


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Evalset]:
    return cache(lambda name: read_evalset(SHIPPED / name))


@pytest.fixture(scope="session")
def reference() -> Callable[[EvalSample], dict[str, Any]]:
    """Return a sample's reference answer as the message that a model would send."""
    return _reference


@pytest.fixture(scope="session")
def calling() -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """Return the message that makes these calls."""
    return _calling


def _reference(sample: EvalSample) -> dict[str, Any]:
    target = str(sample.target)
    if sample.tools and target.startswith("["):
        return _calling(json.loads(target))
    return {"role": "assistant", "content": target}


def _calling(calls: list[dict[str, Any]]) -> dict[str, Any]:
    told = [{"type": "function", "function": {**call, "arguments": json.dumps(call["arguments"])}} for call in calls]
    return {"role": "assistant", "content": None, "tool_calls": told}
