"""The `metrics` of a policy: known names, and margins that fit what the metric is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from gatekeeper import registry
from gatekeeper.decide import _units
from gatekeeper.decide._faults import Faults, did_you_mean
from gatekeeper.decide._opinions import alone
from gatekeeper.decide._yaml import Path
from gatekeeper.model.metric import MetricKind, MetricSpec
from gatekeeper.model.policy import Margin, MarginUnit, MetricRule

_QUANTILE = re.compile(r"(.+)\.p(\d+(?:\.\d+)?)")
_OWN = "extra."
_WHOLE = 100
_SIDES = ("max_increase", "max_decrease")
_KEYS = frozenset((*_SIDES, "limit", "watch", "detect", "critical"))


def metric_rules(body: Any, faults: Faults) -> tuple[MetricRule, ...]:  # noqa: ANN401 - any JSON value
    """Read the metrics; what is wrong goes to `faults` and its rule is left out or incomplete."""
    if not isinstance(body, dict):
        return ()
    rules = []
    for name, rule in body.items():
        path: Path = ("metrics", name)
        if faults.usable(path) and isinstance(rule, dict):
            rules.append(_Reader(name, rule, path, faults).rule())
    if rules and len(rules) == len(body) and all(rule.watch for rule in rules):
        faults.add(("metrics",), "every metric is only watched, expected at least one with a margin or a limit")
    if why := alone(rules):
        faults.add(("metrics",), why)
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Read one metric's rule. spec is None for `extra.` metrics and for unknown names."""

    name: str
    body: dict[str, Any]
    path: Path
    faults: Faults

    def rule(self) -> MetricRule:
        metric, quantile = self._name()
        spec = self._spec(metric)
        if spec and quantile is not None and spec.kind is not MetricKind.NUMBER:
            self._fault(f"{metric} is a {spec.kind} and has no quantiles: write {metric}", at_key=True)
        watch = self._flag("watch")
        margin = self._margin(spec)
        limit = self._limit(spec)
        self._check_purpose(watch=watch)
        return MetricRule(
            name=self.name,
            metric=metric,
            quantile=quantile,
            margin=margin,
            limit=limit,
            detect=self._detect(margin, spec),
            critical=self._flag("critical"),
            watch=watch,
        )

    def _fault(self, message: str, key: str | None = None, *, at_key: bool = False) -> None:
        self.faults.add((*self.path, key) if key else self.path, message, at_key=at_key)

    def _usable(self, key: str) -> bool:
        return key in self.body and self.faults.usable((*self.path, key))

    def _flag(self, key: str) -> bool:
        return self._usable(key) and bool(self.body[key])

    def _name(self) -> tuple[str, float | None]:
        match = _QUANTILE.fullmatch(self.name)
        if match is None:
            return self.name, None
        percent = float(match[2])
        if not 0 < percent < _WHOLE:
            self._fault(f"found the quantile p{match[2]}, expected one between p0 and p100", at_key=True)
        return match[1], round(percent / _WHOLE, 12)

    def _spec(self, metric: str) -> MetricSpec | None:
        if metric.startswith(_OWN):
            return None
        known = registry.names("metrics")
        if metric not in known:
            hint = did_you_mean(metric, known) or f"; known: {', '.join(known)}, and extra.NAME"
            self._fault(f"unknown metric {metric!r}{hint}", at_key=True)
            return None
        return cast("MetricSpec", registry.load("metrics", metric).SPEC)

    def _check_purpose(self, *, watch: bool) -> None:
        deciding = [key for key in (*_SIDES, "limit", "detect", "critical") if key in self.body]
        if watch and deciding:
            self._fault(f"a watched metric never decides: drop watch, or drop {' and '.join(deciding)}", "watch")
        misspelt = any(key not in _KEYS for key in self.body)  # told on its own; what it should hold is told there
        if not watch and not misspelt and not any(key in self.body for key in (*_SIDES, "limit", "watch")):
            self._fault("nothing to hold, expected max_increase, max_decrease, limit or watch", at_key=True)
        if self.body.get("watch") is False and not deciding:
            self._fault("nothing to hold, expected max_increase, max_decrease, limit or watch: true", at_key=True)

    def _margin(self, spec: MetricSpec | None) -> Margin | None:
        sides = [side for side in _SIDES if side in self.body]
        if len(sides) > 1:
            self.faults.add(
                (*self.path, sides[1]), "found both max_increase and max_decrease, expected one", at_key=True
            )
            return None
        if not sides or not self.faults.usable((*self.path, sides[0])):
            return None
        side = sides[0]
        if spec and spec.lower_is_better != (side == "max_increase"):
            right, better = ("max_increase", "lower") if spec.lower_is_better else ("max_decrease", "higher")
            self.faults.add(
                (*self.path, side), f"{spec.name} is better when it is {better}: write {right}", at_key=True
            )
            return None
        return self._amount(side, spec, increase=side == "max_increase")

    def _amount(self, key: str, spec: MetricSpec | None, *, increase: bool) -> Margin | None:
        value = self.body[key]
        if spec and spec.kind is not MetricKind.RATE and _units.in_points(value):
            self._fault(
                f"found {value}, but pp (percentage points) is for rates and {spec.name} is in {spec.unit}: "
                "write a percentage of the baseline, such as 10%, or a bare number",
                key,
            )
            return None
        amount = _units.margin(value, increase=increase)
        rate = spec is not None and spec.kind is MetricKind.RATE
        if (rate or _units.in_points(value)) and amount.unit is MarginUnit.ABSOLUTE and amount.value >= 1:
            self._fault(f"found {value}, expected less than the whole (100pp); 1pp is 0.01", key)
            return None
        if key == "max_decrease" and amount.unit is MarginUnit.RELATIVE and amount.value >= 1:
            self._fault(f"found {value}, expected less than 100%: that allows everything", key)
            return None
        return amount

    def _limit(self, spec: MetricSpec | None) -> float | None:
        if not self._usable("limit"):
            return None
        value = self.body["limit"]
        limit = _units.limit(value)
        if spec and spec.kind is MetricKind.RATE and not 0 < limit < 1:
            self._fault(f"found {value}, expected a share above 0 and below 1, such as 2% or 0.02", "limit")
        if spec and spec.kind is not MetricKind.RATE and isinstance(value, str):
            self._fault(f"found {value}, but {spec.name} is no rate: write a bare number in {spec.unit}", "limit")
        return limit

    def _detect(self, margin: Margin | None, spec: MetricSpec | None) -> float | None:
        if not self._usable("detect"):
            return None
        if not any(side in self.body for side in _SIDES):
            self._fault("detect needs a margin beside it: max_increase or max_decrease", "detect", at_key=True)
            return None
        if margin is None:
            return None
        detect = self._amount("detect", spec, increase=margin.increase)
        if detect is None:
            return None
        if detect.unit is not margin.unit:
            self._fault(f"found {self.body['detect']}, expected it like the margin: {margin.unit}", "detect")
        elif detect.value <= 0:
            self._fault(
                f"found {self.body['detect']}, expected more than zero: a regression beyond the margin", "detect"
            )
        return detect.value
