"""One run of the gate: endpoints, memory, progress, and the report."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.adapters.answers import to_line
from gatekeeper.adapters.evalsets import read_evalset
from gatekeeper.cli._console import note, progress
from gatekeeper.cli._files import read_policy
from gatekeeper.cli._gate_arms import Wanted, arms
from gatekeeper.cli._gate_identity import identify
from gatekeeper.cli._gate_memory import Habits, Memory, Task
from gatekeeper.errors import GatekeeperError, InputError
from gatekeeper.flow._asking import Asking, ask_all
from gatekeeper.flow.gate import judge
from gatekeeper.flow.ramp import Ramp, climb
from gatekeeper.model.arm import Arm
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from gatekeeper.adapters.http_engine import HttpEngine
    from gatekeeper.cli._console import Tick
    from gatekeeper.flow._asking import Ask
    from gatekeeper.model.answer import Answer
    from gatekeeper.model.exchange import Exchange
    from gatekeeper.model.gate import GateReport, LoadStep

LOAD_REQUESTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """Say what is gated, and how.

    evalset None: that of the policy's gate stage. baseline None: `against` holds its answers. candidate None: the
    baseline is only recorded. load: concurrencies of the load ramp, none for no ramp.
    """

    policy: Path
    evalset: Path | None = None
    baseline: Wanted | None = None
    candidate: Wanted | None = None
    against: Path | None = None
    repeats: int = 0
    concurrency: int = 8
    timeout_s: float = 60.0
    max_failed: float = 0.2
    api_key: str = ""
    engine_flags: Sequence[str] = ()
    record: Path | None = None
    habits: Habits = field(default_factory=Habits)
    load: Sequence[int] = ()
    load_requests: int = LOAD_REQUESTS


def run_gate(options: GateOptions) -> GateReport | None:
    """Ask, judge and report; None when only a baseline was recorded.

    Raises:
        InputError: policy, evalset, record or options have faults.
        EngineError: an endpoint is out of order.
    """
    wanted = _wanted(options)
    task = _task(options)
    with Memory(task, options.habits) as memory:
        if options.against is not None:
            memory.record(options.against)
        folder = read_settings(os.environ).data_dir / "gate"
        memory.open(folder, {arm: identify(each, [*options.engine_flags, *each.flags]) for arm, each in wanted.items()})
        asked = {arm: each for arm, each in wanted.items() if memory.missing(arm) or options.load}
        timeout_s, api_key = options.timeout_s, options.api_key
        with arms(asked, task.evalset, options.engine_flags, timeout_s=timeout_s, api_key=api_key) as engines:
            try:
                exchanges, profile = asyncio.run(_ask(task, options, engines, memory))
            except GatekeeperError:
                memory.give_up()
                raise
        report = judge(task.policy, task.evalset, exchanges, memory.past) if options.candidate else None
        memory.finish()
    return report and replace(report, profile=profile)


def _wanted(options: GateOptions) -> Mapping[Arm, Wanted]:
    """Return the arms that are reached.

    Raises:
        InputError: the options leave an arm open, or name one twice.
    """
    if (options.baseline is None) == (options.against is None):
        raise InputError("name the baseline once: --baseline URL asks it, --against FILE takes its recorded answers")
    if options.candidate is None and (options.baseline is None or options.record is None):
        raise InputError(
            "name the candidate with --candidate; to record the baseline alone, give --baseline and --record"
        )
    named = {Arm.BASELINE: options.baseline, Arm.CANDIDATE: options.candidate}
    return {arm: each for arm, each in named.items() if each is not None}


def _task(options: GateOptions) -> Task:
    """Read what is judged by and what is asked, before anything is started.

    Raises:
        InputError: either has faults, or no evalset is named.
    """
    policy, _ = read_policy(options.policy)
    named = next((stage.evalset for stage in policy.stages if stage.evalset), None)
    if options.evalset is None and named is None:
        raise InputError(f"{options.policy} has no gate stage that names an evalset; give one with --evalset")
    evalset = read_evalset(options.evalset or Path(str(named)))
    repeats = options.repeats or evalset.repeats
    return Task(policy=policy, evalset=evalset, repeats=repeats, now=time.time(), side_by_side=bool(options.load))


async def _ask(
    task: Task, options: GateOptions, engines: Mapping[Arm, HttpEngine], memory: Memory
) -> tuple[list[Exchange], tuple[LoadStep, ...]]:
    """Ask what is not known, then raise the load where that is wanted."""
    evalset = task.evalset
    reached = len({*engines, *(arm for arm, _, _ in memory.known)})
    async with AsyncExitStack() as stack:
        for engine in engines.values():
            await stack.enter_async_context(engine)
            await engine.pick_model()
        recorder = stack.enter_context(Recorder(options.record))
        tick = stack.enter_context(progress(f"asking {evalset.name}", len(evalset.samples) * task.repeats * reached))
        ask = {arm: engine.ask for arm, engine in engines.items()}
        asking: Asking = Asking(
            ask=ask,
            now=time.time,
            repeats=task.repeats,
            concurrency=options.concurrency,
            max_failed=options.max_failed,
            known=memory.known,
            seen=_seen(recorder, memory, tick),
        )
        exchanges = await ask_all(evalset, asking)
        if options.candidate is None:
            note(f"recorded {recorder.count:,} answers in {options.record}")
        profile = await _climb(task, options, ask) if options.load else ()
        return exchanges, profile


def _seen(recorder: Recorder, memory: Memory, tick: Tick) -> Callable[[Answer, bool], None]:
    def seen(answer: Answer, known: bool) -> None:  # noqa: FBT001 - a callback's argument
        if not known:
            memory.add(answer)
        recorder.add(answer)
        tick(recorder.count)

    return seen


async def _climb(task: Task, options: GateOptions, ask: Mapping[Arm, Ask]) -> tuple[LoadStep, ...]:
    """Raise the load on the arms that can be reached, showing progress."""
    ended = count(1)
    ramp = Ramp(steps=sorted(set(options.load)), requests=options.load_requests, clock=time.perf_counter)
    with progress("raising the load", len(ask) * sum(map(ramp.asked, ramp.steps))) as tick:
        return await climb(task.evalset, ask, replace(ramp, seen=lambda: tick(next(ended))))


class Recorder:
    """Count answers, and write them to a file when one is wanted."""

    def __init__(self, path: Path | None) -> None:
        """Open the file, if there is one."""
        self.count = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb") if path is not None else None

    def add(self, answer: Answer) -> None:
        """Take one answer."""
        self.count += 1
        if self._file is not None:
            self._file.write(to_line(answer))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
