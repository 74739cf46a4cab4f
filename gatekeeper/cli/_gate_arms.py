"""The gate's two endpoints: reached by URL, or started for the run."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper import registry
from gatekeeper.adapters.http_engine import HttpEngine
from gatekeeper.cli._console import note
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gatekeeper.adapters.engines._process import EngineServer
    from gatekeeper.model.arm import Arm
    from gatekeeper.model.evalset import Evalset

    Flags = dict[str, str | int | bool]

TOOL_FLAGS: Flags = {"enable-auto-tool-choice": True, "tool-call-parser": "hermes"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say where an arm is.

    where: a URL or ENGINE:MODEL. model: its name there, "" asks it. release: "" where it is unknown. flags: NAME or
    NAME=VALUE each, for the engine that is started here.
    """

    where: str
    model: str = ""
    release: str = ""
    flags: tuple[str, ...] = ()

    @property
    def is_url(self) -> bool:
        """Tell whether the arm runs already."""
        return self.where.startswith(("http://", "https://"))


@contextmanager
def arms(
    wanted: Mapping[Arm, Wanted], evalset: Evalset, engine_flags: Sequence[str], *, timeout_s: float, api_key: str
) -> Iterator[dict[Arm, HttpEngine]]:
    """Have both arms ready to be asked; servers started here are started side by side, and stopped after.

    Raises:
        InputError: a place is neither URL nor ENGINE:MODEL.
        UnknownNameError: no such engine; the message lists those that exist.
        EngineError: an endpoint does not answer, or a server did not start.
    """
    asyncio.run(_reach({arm: each for arm, each in wanted.items() if each.is_url}, api_key))
    started = {arm: _split(arm, each.where) for arm, each in wanted.items() if not each.is_url}
    modules = {name: registry.load("adapters.engines", name) for name, _ in started.values()}
    cores = _share_cores(len(started))
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatekeeper-gate-")))
        servers: dict[Arm, EngineServer] = {}
        for (arm, (name, model)), own in zip(started.items(), cores, strict=True):
            note(f"starting {arm}: {name} serving {model}")
            server = modules[name].start(
                model,
                served_name=str(arm),
                cores=own,
                flags={**_default_flags(name, model, evalset), **_parse_flags([*engine_flags, *wanted[arm].flags])},
                log_path=logs / f"{arm}.log",
            )
            servers[arm] = stack.enter_context(server)
        for server in servers.values():
            server.ready()
        yield {
            arm: HttpEngine(
                servers[arm].url if arm in servers else each.where,
                name=str(arm),
                model=servers[arm].served_name if arm in servers else each.model,
                api_key="" if arm in servers else api_key,
                timeout_s=timeout_s,
            )
            for arm, each in wanted.items()
        }


async def _reach(remote: Mapping[Arm, Wanted], api_key: str) -> None:
    """Make sure that every endpoint answers before minutes are spent on starting another."""
    for arm, each in remote.items():
        async with HttpEngine(each.where, name=str(arm), model=each.model, api_key=api_key) as engine:
            await engine.pick_model()


def _split(arm: Arm, where: str) -> tuple[str, str]:
    """Split ENGINE:MODEL."""
    name, colon, model = where.partition(":")
    if not (name and colon and model):
        known = ", ".join(registry.names("adapters.engines"))
        raise InputError(
            f"--{arm}: found {where!r}, expected http(s)://HOST or ENGINE:MODEL with ENGINE one of {known}"
        )
    return name, model


def _default_flags(engine: str, model: str, evalset: Evalset) -> Mapping[str, Any]:
    """Return the flags without which an engine could not be asked this evalset."""
    if engine == "sim":
        from gatekeeper.demo.sim_answers import flags  # noqa: PLC0415 - the simulated models' words

        return flags(model)
    return TOOL_FLAGS if any(sample.tools for sample in evalset.samples) else {}


def _parse_flags(engine_flags: Sequence[str]) -> Flags:
    """Read NAME or NAME=VALUE."""
    pairs = [each.lstrip("-").partition("=") for each in engine_flags]
    return {name: value if equals else True for name, equals, value in pairs}


def _share_cores(servers: int) -> list[tuple[int, ...] | None]:
    """Divide this machine's cores evenly, so that neither of two servers disturbs the other; None leaves one free."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * servers
    cores = sorted(os.sched_getaffinity(0))
    each = len(cores) // servers if servers > 1 else 0
    return [tuple(cores[index * each : (index + 1) * each]) or None for index in range(servers)]
