"""`gatekeeper schema NAME`: the published shapes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gatekeeper.cli._console import emit
from gatekeeper.model import schema


def _complete(incomplete: str) -> list[str]:
    return [name for name in schema.names() if name.startswith(incomplete)]


def command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(schema.names())}.", autocompletion=_complete)],
    *,
    draft7: Annotated[bool, typer.Option("--draft7", help="In draft-07 words, for editors.")] = False,
) -> None:
    """Print a published JSON Schema (2020-12)."""
    emit(schema_text(name, draft7=draft7))


def schema_text(name: str, *, draft7: bool) -> str:
    """Return a schema as JSON text; raises UnknownNameError."""
    if not draft7:
        return schema.text(name)
    return json.dumps(schema.draft7(schema.load(name)), indent=2, ensure_ascii=False)
