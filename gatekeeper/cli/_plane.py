"""The control plane as commands reach it: from the environment, and closed afterwards."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from gatekeeper.cli._console import emit
from gatekeeper.client import Client
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE = "-"


class Shape(StrEnum):
    """Name how an answer is printed."""

    TEXT = "text"
    JSON = "json"


def connect() -> Client:
    """Return a client for GATEKEEPER_API_URL with GATEKEEPER_API_KEY; use it as a context."""
    settings = read_settings(os.environ)
    return Client(settings.api_url, settings.api_key)


def show(plain: object, text: str, shape: Shape) -> None:
    """Print one answer, as JSON or as text."""
    emit(msgspec.json.format(msgspec.json.encode(plain)).decode() if shape is Shape.JSON else text)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns under their heads."""
    lines = [tuple(heads), *(tuple(cell or NONE for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def span(wait_s: float) -> str:
    """Return a duration as people say it: `42s`, `3m 20s`, `2h 5m`."""
    seconds = int(wait_s)
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds}s"
    if seconds < 3600:  # noqa: PLR2004 - seconds in an hour
        return f"{seconds // 60}m {seconds % 60}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60}m"
