"""The report of a gate that could judge nothing: every form says so, and none of them says pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.decide.weigh import JUDGE
from gatekeeper.errors import WorldError
from gatekeeper.model.finding import Check, Ruling, VerdictKind
from gatekeeper.model.gate import GateReport

if TYPE_CHECKING:
    from gatekeeper.errors import GatekeeperError


def failed_report(error: GatekeeperError) -> GateReport:
    """Return a report that holds: nothing was judged, and why; the check's name tells an outage from a bad input."""
    lines = str(error).splitlines() or [type(error).__name__]
    name = "infrastructure" if isinstance(error, WorldError) else "input"
    return GateReport(
        verdict=VerdictKind.HOLD,
        judge=JUDGE,
        policy_digest="",
        decided_at=None,
        reasons=(f"nothing was judged: {lines[0]}", *lines[1:]),
        findings=(),
        checks=(Check(name=name, ruling=Ruling.ERROR, reason="; ".join(lines)),),
    )
