"""Many streams of one test at once: in one go where the test can, else one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gatekeeper.stats import Picture, Question, State, Test, Weight


def weights(test: Test, questions: Sequence[Question], states: Sequence[State]) -> list[Weight]:
    """Return each stream's e-values."""
    together: Callable[[Sequence[Question], Sequence[State]], list[Weight]] | None = getattr(test, "weighs", None)
    if together is not None:
        return together(questions, states) if states else []
    return [test.weigh(*one) for one in zip(questions, states, strict=True)]


def rough_weights(
    test: Test, questions: Sequence[Question], states: Sequence[State], proven: Sequence[bool]
) -> list[Weight]:
    """Return each stream's e-values; where a test can save time by it, some may be told as more than they are.

    That is an e-value that certainly crosses no bar, nor half of a failure's, and promotion's of a stream that was
    proven before, unless rollback's is at half of a failure's bar.
    """
    if not states or not hasattr(test, "roughly"):
        return weights(test, questions, states)
    found: list[Weight] = test.roughly(questions, states, proven)
    return found


def pictures(test: Test, questions: Sequence[Question], states: Sequence[State]) -> list[Picture]:
    """Return each stream's picture."""
    together: Callable[[Sequence[Question], Sequence[State]], list[Picture]] | None = getattr(test, "pictures", None)
    if together is not None:
        return together(questions, states) if states else []
    return [test.picture(*one) for one in zip(questions, states, strict=True)]
