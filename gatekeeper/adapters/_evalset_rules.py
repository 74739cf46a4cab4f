"""What an evalset must hold beyond its schemas: every check can be made, and every metric has something to speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._checks import fault
from gatekeeper.metrics._json import UnsupportedSchemaError, parse, violation
from gatekeeper.metrics._tools import schemas_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gatekeeper.model.evalset import EvalSample

    Path = tuple[str | int, ...]

NEEDS: Mapping[str, tuple[str, Callable[[EvalSample], object]]] = {
    "json_validity": ("a response_schema", lambda sample: sample.response_schema is not None),
    "tool_call_validity": ("tools", lambda sample: sample.tools),
    "task_success": ("expectations", lambda sample: sample.expect),
    "groundedness": ("a context", lambda sample: sample.context),
}
"""Metrics that are silent unless samples bring something with them: what, and whether a sample has it."""


def unusable(sample: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield the place and the fault of everything in a sample that could never be checked.

    A check that is never made must not look like one that holds.
    """
    for index, expectation in enumerate(sample.get("expect", ())):
        if message := fault(expectation):
            yield ("expect", index), message
        else:
            yield from _not_offered(sample, index, expectation)
    if schema := sample.get("response_schema"):
        try:
            violation(parse("null"), schema)
        except UnsupportedSchemaError as exc:
            yield ("response_schema",), f"found a schema that cannot be used: {exc}"


def silent_metrics(metrics: Sequence[str], samples: Sequence[EvalSample]) -> Iterator[tuple[int, str]]:
    """Yield the place and the fault of every named metric that no sample could speak about."""
    for index, name in enumerate(metrics):
        what, has = NEEDS.get(name, ("", None))
        if has is not None and not any(has(sample) for sample in samples):
            yield index, f"found {name!r}, but no sample has {what}: add some, or leave the metric out"


def _not_offered(sample: Mapping[str, Any], index: int, expectation: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield a fault for every wanted call of a tool that the sample does not offer."""
    if expectation["type"] not in ("tool_call", "tool_calls"):
        return
    offered = schemas_of(sample)
    value = expectation["value"]
    for call in value if isinstance(value, list) else [value]:
        if call["name"] not in offered:
            known = ", ".join(offered) or "none"
            yield ("expect", index, "value"), f"wants the tool {call['name']!r}, which is not offered; offered: {known}"
