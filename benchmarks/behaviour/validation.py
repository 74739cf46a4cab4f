"""Measure JSON validation and tool calls on public data, and what hostile schemas and patterns cost.

Run from the project's root, with the public data beside it: python benchmarks/behaviour/validation.py. The cases are
those that tests/unit/metrics holds to their limits; here the figures are shown.
"""

from __future__ import annotations

import runpy
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gatekeeper.metrics._json import parse, violation
from gatekeeper.metrics._patterns import _compiled, search
from gatekeeper.metrics._schema import UnsupportedSchemaError, _kept, compiled
from gatekeeper.metrics.tool_call_validity import score
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange

TESTS = Path(__file__).parents[2] / "tests" / "unit" / "metrics"
ROUNDS = 3
SMALL = {"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}}
SMALL_ANSWER = '{"order": 66, "note": "late"}'
SMALL_ROUNDS = 20_000


def cases(name: str) -> dict[str, Any]:
    """Return what a test module holds."""
    return runpy.run_path(str(TESTS / f"test_{name}.py"))


def suites() -> list[tuple[str, int, int]]:
    """Return (draft, required tests that pass, all) for each draft of the official suite."""
    held = cases("schema_suite")
    rows = []
    for draft in held["DRAFTS"]:
        documents, passed, total = held["_documents"](draft), 0, 0
        for _, schema, text, valid in held["_tests"](draft):
            total += 1
            with suppress(UnsupportedSchemaError):
                passed += (compiled(schema, documents).violation(parse(text).value, text) is None) is valid
        rows.append((f"JSON Schema suite, {draft.folder}", passed, total))
    return rows


def calls() -> list[tuple[str, int, int]]:
    """Return how many right calls are valid, and how many mutants are rejected."""
    held = cases("tool_call_data")
    right, valid, mutants, rejected = 0, 0, 0, 0
    for tools, name, given in held["_calls"]():
        right += 1
        valid += judged(held, tools, name, given) is True
        for _, other, arguments in held["_mutants"](tools, name, given):
            mutants += 1
            rejected += judged(held, tools, other, arguments) is False
    return [("public tool calls valid", valid, right), ("mutants of them rejected", rejected, mutants)]


def judged(held: dict[str, Any], tools: list[dict[str, Any]], name: str, arguments: object) -> bool | float | None:
    """Return what the scorer says of one call."""
    text = arguments if isinstance(arguments, str) else held["json"].dumps(arguments)
    message = {"content": None, "tool_calls": [{"type": "function", "function": {"name": name, "arguments": text}}]}
    choice = {"message": message, "finish_reason": "tool_calls"}
    request, response = {"messages": [], "tools": tools}, {"choices": [choice]}
    return score(Exchange(id="", ts=0.0, arm=Arm.BASELINE, request=request, response=response)).value


def worst() -> tuple[float, int, float, int]:
    """Return the dearest hostile schema (ms) and how many there are; the dearest hostile pattern and how many."""
    held = cases("hostile_schemas")
    parsed = [(schema, parse(text)) for schema, text in held["HOSTILE"]]
    schemas = [cost_ms(lambda s=schema, p=answer: violation(p, s), _kept) for schema, answer in parsed]
    (marked,) = held["test_every_pattern_ends_soon"].pytestmark
    patterns = [cost_ms(lambda p=pattern: search(p, "a" * 1_000_000), _compiled) for pattern in marked.args[1]]
    return max(schemas), len(schemas), max(patterns), len(patterns)


def cost_ms(judge: Any, kept: Any) -> float:  # noqa: ANN401 - what is called, and the cache that it fills
    """Return milliseconds of CPU time from nothing, the best of three rounds; what is refused has cost as well."""
    spent = []
    for _ in range(ROUNDS):
        kept.cache_clear()
        start = time.process_time()
        with suppress(UnsupportedSchemaError, ValueError):
            judge()
        spent.append(time.process_time() - start)
    return min(spent) * 1e3


def small_us() -> float:
    """Return microseconds of CPU time that a small answer takes against a small schema that is known."""
    violation(parse(SMALL_ANSWER), SMALL)
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(SMALL_ROUNDS):
            violation(parse(SMALL_ANSWER), SMALL)
        spent.append(time.process_time() - start)
    return min(spent) / SMALL_ROUNDS * 1e6


def main() -> None:
    """Print a table of shares, then the times."""
    missing = [name for name in ("schema_suite", "tool_call_data") if not data_of(name).is_dir()]
    if missing:
        sys.exit(
            f"the public data do not stand beside the project: {', '.join(str(data_of(each)) for each in missing)}"
        )
    rows = [*suites(), *calls()]
    print("| measured | right | of | share |\n|---|---|---|---|")
    for name, right, total in rows:
        print(f"| {name} | {right:,} | {total:,} | {right / total:.1%} |")
    schema_ms, schemas, pattern_ms, patterns = worst()
    print(
        f"the dearest of {schemas} hostile schemas takes {schema_ms:.0f} ms, of {patterns} hostile patterns "
        f"{pattern_ms:.1f} ms; a small answer against a small schema {small_us():.1f} µs"
    )


def data_of(name: str) -> Path:
    """Return where a test module's data stand."""
    held = cases(name)
    return Path(held.get("SUITE") or held["DATA"])


main()
