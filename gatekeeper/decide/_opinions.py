"""Which metrics are a language model's opinion: it counts beside others, and never decides alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatekeeper.model.policy import MetricRule

OWN = "extra.judge"
"""Custom metrics whose names begin so are opinions too."""


def is_opinion(metric: str) -> bool:
    """Tell whether a metric, as a rule names it, is a language model's opinion."""
    if metric.startswith("extra."):
        return metric.startswith(OWN)
    return metric in registry.names("metrics") and bool(registry.load("metrics", metric).SPEC.by_judge)


def alone(rules: Iterable[MetricRule]) -> str:
    """Return why these rules cannot decide, "" when they can: at least one must be more than an opinion."""
    deciding = [rule.metric for rule in rules if not rule.watch]
    if not deciding or not all(map(is_opinion, deciding)):
        return ""
    names = ", ".join(dict.fromkeys(deciding))
    return f"only a language model's opinion decides here ({names}): give another metric a margin or a limit too"
