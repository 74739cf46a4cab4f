"""The `stages` of a policy: kinds, weights that grow, waits that fit, something that judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatekeeper.decide import _units
from gatekeeper.decide._faults import Faults
from gatekeeper.decide._yaml import Path
from gatekeeper.model.policy import OnUndecided, Stage, StageKind
from gatekeeper.model.split import WHOLE_BP


def stages(body: Any, faults: Faults) -> tuple[Stage, ...]:  # noqa: ANN401 - any JSON value
    """Read the stages; what is wrong goes to `faults`."""
    if not isinstance(body, list) or not faults.usable(("stages",)):
        return ()
    read: list[tuple[Path, Stage]] = []
    for index, item in enumerate(body):
        path: Path = ("stages", index)
        if not isinstance(item, dict) or len(item) != 1 or not faults.usable(path):
            continue
        kind, fields = next(iter(item.items()))
        below = (*path, kind)
        if isinstance(fields, dict) and faults.usable(below):
            read.append((below, _Reader(StageKind(kind), fields, below, faults).stage()))
    _check_order(read, len(body), faults)
    return tuple(stage for _, stage in read)


def _check_order(read: list[tuple[Path, Stage]], total: int, faults: Faults) -> None:
    reached_bp = 0
    for path, stage in read:
        if stage.kind is StageKind.BAKE and path[1] != total - 1:
            faults.add(path, "found a stage after the bake, expected the bake last: it watches what was promoted")
        if stage.kind is not StageKind.CANARY or not stage.weight_bp:
            continue
        if stage.weight_bp <= reached_bp:
            before = reached_bp / 100
            message = f"found {stage.weight_bp / 100:g}% after {before:g}%, expected each canary to weigh more"
            faults.add((*path, "weight"), message)
        reached_bp = max(reached_bp, stage.weight_bp)
    if read and len(read) == total and not any(stage.judged for _, stage in read):
        faults.add(("stages",), "no stage judges the candidate, expected a gate, shadow, canary or bake")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Read one stage's fields, each only if its shape is right."""

    kind: StageKind
    body: dict[str, Any]
    path: Path
    faults: Faults

    def stage(self) -> Stage:
        weight_bp = self._share_bp("weight")
        control = self._usable("control") and bool(self.body["control"])
        if control and weight_bp * 2 > WHOLE_BP:
            message = f"no room for a control of the canary's size beside {weight_bp / 100:g}%, expected at most 50%"
            self.faults.add((*self.path, "control"), message)
        min_wait_s = self._duration_s("min_wait", least_s=0.0) or 0.0
        max_wait_s = self._duration_s("max_wait")
        if max_wait_s is not None and min_wait_s > max_wait_s:
            message = f"found {self.body['min_wait']}, expected at most max_wait ({self.body['max_wait']})"
            self.faults.add((*self.path, "min_wait"), message)
        return Stage(
            kind=self.kind,
            weight_bp=weight_bp,
            mirror_bp=self._share_bp("mirror"),
            requests=self.body["requests"] if self._usable("requests") else 0,
            max_samples=self.body["max_samples"] if self._usable("max_samples") else None,
            min_wait_s=min_wait_s,
            max_wait_s=max_wait_s,
            wait_s=self._duration_s("wait") or 0.0,
            on_undecided=OnUndecided(self.body["on_undecided"]) if self._usable("on_undecided") else OnUndecided.HOLD,
            control=control,
            needs_approval=self._usable("needs_approval") and bool(self.body["needs_approval"]),
            evalset=self.body["evalset"] if self._usable("evalset") else None,
        )

    def _usable(self, key: str) -> bool:
        return key in self.body and self.faults.usable((*self.path, key))

    def _share_bp(self, key: str) -> int:
        if not self._usable(key):
            return 0
        try:
            return _units.share_bp(self.body[key])
        except ValueError as exc:
            self.faults.add((*self.path, key), str(exc))
            return 0

    def _duration_s(self, key: str, *, least_s: float = 1.0) -> float | None:
        if not self._usable(key):
            return None
        wait_s = _units.duration_s(self.body[key])
        if wait_s < least_s:
            self.faults.add((*self.path, key), f"found {self.body[key]}, expected at least {least_s:g}s")
            return None
        return wait_s
