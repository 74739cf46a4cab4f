"""What a policy says of single users and requests: who stays out of the draw, and which segment a request is of."""

from __future__ import annotations

from dataclasses import dataclass

APART_STAGE = -1
"""The stage of exchanges that are kept and never compared: their arm was given, not drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """Keep sticky keys out of the draw of arms; both lists are sorted, each key once.

    candidate: served by the candidate in every canary. baseline: neither served by a candidate nor copied to one; it
    wins where a key is in both. holdout_bp: share in basis points of the service's keys, the same in all its
    rollouts, that is treated like `baseline`.
    """

    candidate: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    holdout_bp: int = 0

    def __post_init__(self) -> None:
        """Put the lists in order, in which they are searched."""
        for name in ("candidate", "baseline"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRule:
    """Put requests that meet every condition into a segment; without a condition every request meets it.

    segment, headers: (key, value) pairs; header names in lower case. model, path: None for any. min_bytes: of the
    request's body.
    """

    segment: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...] = ()
    model: str | None = None
    path: str | None = None
    min_bytes: int = 0

    @property
    def conditional(self) -> bool:
        """Tell whether there is a request that it does not meet."""
        return bool(self.headers or self.model is not None or self.path is not None or self.min_bytes)
