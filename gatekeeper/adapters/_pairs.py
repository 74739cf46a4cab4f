"""How a mirrored pair is shown for review, and which pairs say most; the same for every store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.model.sample import Sample

FIELDS = ("error", "refused", "json_valid", "task_success")
"""A pair is telling when its halves differ in one of these."""


def outcome(sample: Sample) -> str:
    """Return one letter for each of FIELDS: 1 yes, 0 no, - not applicable. Equal outcomes do not differ."""
    failed = "1" if sample.error else "0"
    return failed + "".join("-" if value is None else str(int(value)) for value in _answers(sample))


def view(pair_id: str, stage: int, baseline: Mapping[str, Any], candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair as JSON values.

    baseline, candidate: {exchange, sample, labels, outcome}. Each arm of the result is the exchange with its `sample`
    and `labels`; `differs` names the fields of FIELDS in which the arms differ.
    """
    letters = zip(FIELDS, baseline["outcome"], candidate["outcome"], strict=True)
    return {
        "pair_id": pair_id,
        "stage": stage,
        "differs": [name for name, left, right in letters if left != right],
        "baseline": _arm(baseline),
        "candidate": _arm(candidate),
    }


def _arm(half: Mapping[str, Any]) -> dict[str, Any]:
    return {**half["exchange"], "sample": half["sample"], "labels": half["labels"]}


def _answers(sample: Sample) -> tuple[bool | None, ...]:
    return (sample.refused, sample.json_valid, sample.task_success)
