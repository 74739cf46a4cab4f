"""The policy reference in Markdown, made from the schema, so that the two cannot part."""

from __future__ import annotations

import json
from typing import Any

from gatekeeper.model import schema

_HEAD = ("| key | takes | meaning |", "|---|---|---|")


def policy_reference() -> str:
    """Return every key of a policy file as Markdown tables."""
    body = schema.load("policy")
    parts = body["$defs"]
    lines = ["## Top level", "", *_table(body, body)]
    lines += ["", "## `error_budget`", "", body["properties"]["error_budget"]["description"], ""]
    lines += _table(body["properties"]["error_budget"], body)
    lines += [
        "",
        "## `metrics.NAME`",
        "",
        body["properties"]["metrics"]["description"],
        "",
        *_table(parts["metric"], body),
    ]
    for name, described, listed in (
        ("cohorts", body["properties"]["cohorts"], body["properties"]["cohorts"]),
        ("segment_rules[]", body["properties"]["segment_rules"], parts["segment_rule"]),
    ):
        lines += ["", f"## `{name}`", "", described["description"], "", *_table(listed, body)]
    for kind, stage in parts["stage"]["properties"].items():
        lines += ["", f"## `stages`: `{kind}`", "", stage["description"], "", *_table(stage, body)]
    return "\n".join(lines) + "\n"


def _table(node: dict[str, Any], body: dict[str, Any]) -> list[str]:
    required = node.get("required", [])
    rows = [_row(key, _whole(part, body), key in required) for key, part in node["properties"].items()]
    return [*_HEAD, *rows]


def _whole(part: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return a part with what it refers to; its own words win."""
    target = part.get("$ref")
    return {**body["$defs"][target.rsplit("/", 1)[-1]], **part} if isinstance(target, str) else part


def _row(key: str, part: dict[str, Any], required: bool) -> str:  # noqa: FBT001 - a cell of the row
    takes = " or ".join(f"`{choice}`" for choice in part.get("enum", [])) or part.get("title", "")
    examples = ", ".join(f"`{_example(example)}`" for example in part.get("examples", []))
    takes += f": {examples}" if examples else ""
    name = f"`{key}` (required)" if required else f"`{key}`"
    return f"| {name} | {takes} | {part.get('description', '')} |"


def _example(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
