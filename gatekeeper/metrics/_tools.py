"""Tools a request offers, and the calls an answer makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.metrics._json import Parsed, parse

if TYPE_CHECKING:
    from collections.abc import Mapping


def schemas_of(request: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
    """Return each offered tool's parameter schema by its name; None where a tool declares none."""
    tools = request.get("tools")
    offered: dict[str, dict[str, Any] | None] = {}
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            schema = function.get("parameters")
            offered[function["name"]] = schema if isinstance(schema, dict) else None
    return offered


def name_of(call: object) -> str | None:
    """Return the called tool's name; None when the call has none."""
    name = _function(call).get("name")
    return name if isinstance(name, str) and name else None


def arguments_of(call: object) -> Parsed | None:
    """Return a call's arguments; None when they are not a JSON object. An absent or empty text is no object."""
    text = _function(call).get("arguments")
    parsed = parse(text) if isinstance(text, str) else None
    return parsed if parsed is not None and isinstance(parsed.value, dict) else None


def _function(call: object) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    return function if isinstance(function, dict) else {}
