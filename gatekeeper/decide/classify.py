"""Which segment a request is of, by the rules of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gatekeeper.model.cohort import SegmentRule

PLAIN = "segment"
"""The key under which a segment that is plain text stands."""


def classify(
    rules: Iterable[SegmentRule],
    said: str | dict[str, str] | None,
    *,
    headers: Mapping[str, str],
    model: str | None,
    path: str,
    size: int,
) -> str | dict[str, str] | None:
    """Return a request's segment: what it says of itself, overruled key by key by the first rule that it meets.

    said: its own words, None without. headers: first value by lower-case name. size: bytes of its body. No rule met:
    `said` as it came.
    """
    found: dict[str, str] = {}
    for rule in rules:
        if _meets(rule, headers, model, path, size):
            found = {**dict(rule.segment), **found}
    if not found:
        return said
    own = said if isinstance(said, dict) else {PLAIN: said} if said else {}
    return {**own, **found}


def _meets(rule: SegmentRule, headers: Mapping[str, str], model: str | None, path: str, size: int) -> bool:
    return (
        size >= rule.min_bytes
        and rule.path in (None, path)
        and rule.model in (None, model)
        and all(headers.get(name) == value for name, value in rule.headers)
    )
