"""A policy file, checked: every fault at once, each with its place, what was found and what was expected."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from gatekeeper.decide._cohort_rules import cohorts, segment_rules
from gatekeeper.decide._faults import Faults
from gatekeeper.decide._metric_rules import metric_rules
from gatekeeper.decide._shape import check_shape
from gatekeeper.decide._stage_rules import stages
from gatekeeper.decide._yaml import MAX_DEPTH, Document, Path, read
from gatekeeper.decide.freeze import parse_window
from gatekeeper.errors import InputError
from gatekeeper.model.policy import ErrorBudget, Policy, Unit

_UNNAMED = "policy"


def parse_policy(text: str, *, file: str | None = None) -> Policy:
    """Read a policy from YAML 1.2 or JSON text.

    file: the name shown in faults; None shows line and column only.

    Raises:
        PolicyError: with every fault of the file, in its order.
    """
    return _policy(read(text, file), file)


def policy_from_mapping(mapping: Mapping[str, Any]) -> Policy:
    """Read a policy from plain values, as from a JSON body or a Python literal.

    Raises:
        PolicyError: with every fault; there are no lines, paths say where.
    """
    document = Document()
    document.value = _plain(mapping, (), document)
    return _policy(document, None)


def digest(policy: Policy) -> str:
    """Return the SHA-256 (hex) over what a policy says, however it was written; defaults are left out."""
    said = _said(replace(policy, digest="", metrics=tuple(sorted(policy.metrics, key=lambda rule: rule.name))))
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _policy(document: Document, file: str | None) -> Policy:
    faults = Faults(document, file)
    check_shape(document.value, faults)
    body = document.value if isinstance(document.value, dict) else {}
    budget = body.get("error_budget") if faults.usable(("error_budget",)) else None
    freeze = tuple(body.get("freeze") or ()) if faults.usable(("freeze",)) else ()
    for index, window in enumerate(freeze):
        _check_window(window, ("freeze", index), faults)
    rules = metric_rules(body.get("metrics"), faults)
    steps = stages(body.get("stages"), faults)
    apart = cohorts(body.get("cohorts"), faults)
    told = segment_rules(body, faults)
    faults.raise_any()
    policy = Policy(
        name=body.get("policy", _UNNAMED),
        metrics=rules,
        stages=steps,
        segments=tuple(body.get("segments", ())),
        error_budget=ErrorBudget(**{key: float(value) for key, value in (budget or {}).items()}),
        freeze=freeze,
        unit=Unit(body.get("unit", Unit.CLUSTER)),
        cohorts=apart,
        segment_rules=told,
    )
    return replace(policy, digest=digest(policy))


def _check_window(window: str, path: Path, faults: Faults) -> None:
    if not faults.usable(path):
        return
    try:
        parse_window(window)
    except InputError as exc:
        faults.add(path, str(exc))


def _said(noun: object) -> Any:  # noqa: ANN401 - any JSON value
    """Return a noun as JSON values without the fields that are at their defaults."""
    if is_dataclass(noun):
        return {
            field.name: _said(value)
            for field in fields(noun)
            if (value := getattr(noun, field.name)) != field.default
            and not (field.default_factory is not MISSING and value == field.default_factory())
        }
    return [_said(item) for item in noun] if isinstance(noun, tuple) else noun


def _plain(value: Any, path: Path, document: Document) -> Any:  # noqa: ANN401 - what a caller handed in
    """Return a value as JSON has it; what JSON has not is a fault and becomes None."""
    message = ""
    if len(path) > MAX_DEPTH:
        message = f"found more than {MAX_DEPTH} levels, expected fewer"
    elif value is None or isinstance(value, bool | int):
        return value
    elif isinstance(value, str):
        return str(value)
    elif isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        message = f"found {value}, expected a finite number"
    elif isinstance(value, Mapping):
        return {str(key): _plain(item, (*path, str(key)), document) for key, item in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(item, (*path, index), document) for index, item in enumerate(value)]
    else:
        message = f"found a value of type {type(value).__name__}, expected what JSON can hold"
    document.faults.append((path, None, message))
    return None
