"""The load ramp against arms that are plain functions."""

from __future__ import annotations

import asyncio
from typing import Any

from gatekeeper.flow.ramp import Ramp, climb
from gatekeeper.model.arm import Arm
from gatekeeper.model.evalset import EvalSample, Evalset
from gatekeeper.model.exchange import Failure, Timing
from gatekeeper.model.reply import Reply

EVALSET = Evalset(
    name="few",
    digest="d",
    samples=tuple(EvalSample(id=f"s{n}", input=({"role": "user", "content": f"q{n}"},)) for n in range(3)),
)


class _Server:
    """Answer, and note how many requests are in flight."""

    def __init__(self, *, fails_above: int = 99) -> None:
        self.flying = self.most = self.asked = 0
        self._fails_above = fails_above

    async def ask(self, _body: dict[str, Any]) -> Reply:
        self.asked += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(0)
        failed = self.flying > self._fails_above
        self.flying -= 1
        if failed:
            return Reply(error=Failure(kind="http_5xx", message="overloaded"))
        timing = Timing(ttft_ms=10.0, tpot_ms=2.0, e2e_ms=30.0)
        return Reply(response={"choices": [], "usage": {"completion_tokens": 5}}, timing=timing)


def _clock() -> Any:  # noqa: ANN401 - a function of nothing that tells seconds
    ticks = iter(range(10**6))
    return lambda: float(next(ticks))


def test_each_arm_bears_each_load_by_itself():
    arms = {Arm.BASELINE: _Server(), Arm.CANDIDATE: _Server(fails_above=2)}
    seen: list[int] = []
    ramp = Ramp(steps=(1, 4), requests=6, clock=_clock(), seen=lambda: seen.append(1))
    steps = asyncio.run(climb(EVALSET, {arm: server.ask for arm, server in arms.items()}, ramp))
    assert [(step.concurrency, step.arm) for step in steps] == [
        (1, Arm.BASELINE), (1, Arm.CANDIDATE), (4, Arm.BASELINE), (4, Arm.CANDIDATE),
    ]  # fmt: skip
    assert [step.requests for step in steps] == [6, 6, 16, 16]
    assert [server.most for server in arms.values()] == [4, 4]
    assert len(seen) == sum(step.requests for step in steps) == 44
    first, last = steps[0], steps[-1]
    assert (first.ttft_p50_ms, first.tpot_p95_ms, first.failed) == (10.0, 2.0, {})
    assert (first.requests_per_s, first.tokens_per_s) == (6.0, 30.0)
    assert last.failed["http_5xx"] > 0


def test_what_all_failed_has_no_figures():
    server = _Server(fails_above=0)
    (step,) = asyncio.run(climb(EVALSET, {Arm.CANDIDATE: server.ask}, Ramp(steps=(2,), requests=1, clock=_clock())))
    assert step.failed == {"http_5xx": 8}
    assert (step.requests_per_s, step.tokens_per_s, step.ttft_p50_ms, step.tpot_p95_ms) == (None, None, None, None)
