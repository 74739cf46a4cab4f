"""How many more samples a decision will probably take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatekeeper.decide.evidence import Track
    from gatekeeper.stats import Picture, Question

LAG = 2.0
"""What a mixture pays for not knowing the effect, in units of log evidence: about log of the grid's spread."""

LEAST_SEEN = 40
SLOWEST = 1e-6
MOST = 10_000_000


def more_samples(track: Track, question: Question, picture: Picture) -> int | None:
    """Estimate the samples (both arms together) that are still missing; None when nothing tells.

    Evidence grows in proportion to the samples, so what was gained so far (with the mixture's price given back) is
    extended to the nearer of the two decisions.
    """
    seen = picture.a_n + picture.b_n
    if seen < LEAST_SEEN or not picture.a_n or not picture.b_n:
        return None
    goals = [(track.log_rollback, question.alpha_rollback), (track.log_promotion, question.alpha_promotion)]
    missing: list[float] = []
    for log_e, alpha in goals:
        gain = (log_e + LAG) / seen
        if math.isfinite(log_e) and gain > SLOWEST:
            missing.append(max((-math.log(alpha) - log_e) / gain, 1.0))
    if not missing or min(missing) > MOST:
        return None
    return rounded_up(min(missing))


def rounded_up(count: float) -> int:
    """Round up to two significant digits."""
    unit = int(10 ** max(math.floor(math.log10(count)) - 1, 0))
    return math.ceil(count / unit) * unit
