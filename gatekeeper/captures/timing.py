"""When each token came, and the figures that follow from it; each that cannot be had says why."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gatekeeper.model.exchange import Timing

if TYPE_CHECKING:
    from collections.abc import Mapping

_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Hold what was seen of one answer's time.

    began, ended: monotonic seconds; ended None: it never did. streamed: it came as events. held: the client read so
    slowly that reading from the upstream was stopped for a while. cut: it is longer than is kept. marks: (monotonic
    seconds, bytes of body so far) of each read. token_ends: (offset after it, sequence) of each event with output.
    """

    began: float
    ended: float | None
    streamed: bool
    held: bool = False
    cut: bool = False
    marks: Sequence[tuple[float, int]] = ()
    token_ends: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class Figures:
    """Hold an answer's times, and under `unmeasured` the reason for each that is None."""

    timing: Timing
    unmeasured: dict[str, str] = field(default_factory=dict)


def measure(seen: Seen, tokens: int | None, sequences: int) -> Figures:
    """Compute the figures. tokens: of output over all sequences, as the engine counted; None: it did not say.

    A token's time is that of the read in which its event was whole.
    """
    times = _times(seen) if seen.streamed else {}
    every = sorted(at for arrivals in times.values() for at in arrivals) if times else []
    e2e_ms = (seen.ended - seen.began) * 1000 if seen.ended is not None else None
    why: dict[str, str] = {} if e2e_ms is not None else {"latency_ms": "the answer did not end"}
    if not every:
        reason = "no event of the stream carried output" if seen.streamed else "the answer was not streamed"
        return Figures(Timing(e2e_ms=e2e_ms), why | dict.fromkeys(("ttft_ms", "tpot_ms", "itl_ms"), reason))
    gaps = sorted(later - earlier for arrivals in times.values() for earlier, later in pairwise(arrivals))
    held = "the client read too slowly: the pace is its own" if seen.held else ""
    spoilt = held or ("the answer is longer than is kept" if seen.cut else "")
    if spoilt or not gaps:
        why["itl_ms"] = spoilt or "fewer than two events carried output"
        gaps = []
    each = tokens / max(sequences, 1) if tokens is not None else 0.0
    if spoilt or each < _TWO or len(every) < _TWO:
        unknown = "the engine sent no token counts" if tokens is None else "fewer than two tokens came apart"
        why["tpot_ms"] = spoilt or unknown
        tpot_ms = None
    else:
        tpot_ms = (every[-1] - every[0]) * 1000 / (each - 1)
    timing = Timing(
        ttft_ms=(every[0] - seen.began) * 1000,
        e2e_ms=e2e_ms,
        tpot_ms=tpot_ms,
        itl_p50_ms=_quantile_ms(gaps, 0.5),
        itl_p95_ms=_quantile_ms(gaps, 0.95),
        itl_max_ms=_quantile_ms(gaps, 1.0),
    )
    return Figures(timing, why)


def output_tokens(response: Mapping[str, Any] | None) -> int | None:
    """Return how many tokens of output the client was sent, by the engine's own count; None: it did not say.

    Tokens of reasoning that were counted but not shown are left out.
    """
    usage = (response or {}).get("usage")
    count = usage_count(response, "completion_tokens", "output_tokens")
    if count is None or not isinstance(usage, dict):
        return None
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, dict) else None
    if not isinstance(hidden, int) or _shows_reasoning(response or {}):
        return count
    return max(count - hidden, 0)


def usage_count(response: Mapping[str, Any] | None, *names: str) -> int | None:
    """Return the first of these token counts that the engine sent; None: it sent none."""
    usage = response.get("usage") if response else None
    if isinstance(usage, dict):
        for name in names:
            count = usage.get(name)
            if type(count) is int:  # a boolean is none
                return count
    return None


def _shows_reasoning(response: Mapping[str, Any]) -> bool:
    choices = response.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict) and (message.get("reasoning_content") or message.get("reasoning")):
            return True
    return False


def _times(seen: Seen) -> dict[int, list[float]]:
    """Return by sequence when its events were whole; one whose end was not kept is left out."""
    times: dict[int, list[float]] = defaultdict(list)
    place = 0
    for end, sequence in seen.token_ends:
        while place < len(seen.marks) and seen.marks[place][1] < end:
            place += 1
        if place < len(seen.marks):
            times[sequence].append(seen.marks[place][0])
    return times


def _quantile_ms(gaps: Sequence[float], share: float) -> float | None:
    """Return the smallest gap that at least this share of the sorted gaps (seconds) does not exceed, in ms."""
    return gaps[max(math.ceil(share * len(gaps)) - 1, 0)] * 1000 if gaps else None
