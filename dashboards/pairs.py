"""The most telling pairs of answers. What models and users wrote is hostile: it is shown inertly, and cut."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatekeeper.client import Client

PAIRS = 3
MOST_CHARS = 4_000
HEIGHT_PX = 180
SHORT_LINES, SHORT_CHARS = 5, 500
"""A text up to these needs no scroll bar."""


def worst(api: Client, rollout_id: str) -> None:
    """Show the pairs that differ most: prompt, both answers, and what differs between them."""
    found = api.pairs(rollout_id, limit=PAIRS)
    if not found:
        st.text("No request has been answered by both arms yet.")
        return
    for tab, pair in zip(st.tabs([f"Pair {number + 1}" for number in range(len(found))]), found, strict=True):
        with tab:
            _show(pair)
    st.button("Load the newest pairs")


def _show(pair: Mapping[str, Any]) -> None:
    differs = ", ".join(pair["differs"]) or "nothing that was measured"
    st.text(f"Stage {pair['stage'] + 1}. The arms differ in: {differs}.")
    _inert("Prompt", prompt(pair["baseline"]))
    answers = {arm: answer(pair[arm]) for arm in ("baseline", "candidate")}
    for column, (arm, text) in zip(st.columns(2), answers.items(), strict=True):
        with column:
            _inert(arm.capitalize(), text)
    if changes := difference(answers["baseline"], answers["candidate"]):
        _inert("Difference", changes, language="diff")


def _inert(title: str, text: str, language: str | None = None) -> None:
    short = text.count("\n") < SHORT_LINES and len(text) < SHORT_CHARS
    st.text(title)
    st.code(text, language=language, wrap_lines=True, height="content" if short else HEIGHT_PX)


def prompt(exchange: Mapping[str, Any]) -> str:
    """Return the last message that was asked, as text."""
    messages = exchange.get("request", {}).get("messages") or [{}]
    return _text(messages[-1].get("content"))


def answer(exchange: Mapping[str, Any]) -> str:
    """Return what came back, as text: words, tool calls, or how it failed."""
    if exchange.get("error"):
        return f"failed: {exchange['error']['class']}"
    choices = (exchange.get("response") or {}).get("choices") or [{}]
    message = choices[0].get("message") or {}
    return _text(message.get("content") or message.get("tool_calls"))


def difference(before: str, after: str) -> str:
    """Return the lines that differ, with - and +; "" where none do."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def _text(content: object) -> str:
    """Return any JSON value as text that is short enough to show."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1) if content else ""
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}\n… {len(text) - MOST_CHARS:,} characters more"
