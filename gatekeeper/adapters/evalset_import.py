"""Bringing another tool's evalset into our layout, with a list of all that did not come along."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from gatekeeper import registry
from gatekeeper.adapters._evalset_rules import NEEDS
from gatekeeper.adapters.evalsets import MANIFEST, SAMPLES, check_samples
from gatekeeper.errors import ConflictError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Collected, Wanted

ALWAYS = ("refusal_rate", "degeneration_rate", "error_rate")
SPOKEN = {"json_validity": "response_schema", "tool_call_validity": "tools", "task_success": "expect"}


def formats() -> tuple[str, ...]:
    """List the formats there are, sorted."""
    return registry.names("adapters.evalset_formats")


def import_evalset(kind: str, source: Path, folder: Path, *, licence: str, wanted: Wanted, strict: bool) -> Collected:
    """Write a source's samples and a manifest, not yet blessed, into a folder; return what came and what did not.

    strict: write nothing unless everything could be mapped.

    Raises:
        UnknownNameError: no such format.
        NotFoundError: the source, or a file that it names, is not there.
        ConflictError: the folder holds an evalset already.
        InputError: the source cannot be read, holds no sample, or (strict) something has no match here.
    """
    for name in (MANIFEST, SAMPLES):
        if (folder / name).exists():
            raise ConflictError(f"{folder / name} exists; import into a new folder, or remove it first")
    collected: Collected = registry.load("adapters.evalset_formats", kind).read(source, wanted)
    if not collected.samples:
        raise InputError(f"{source}: found no sample that can be asked\n{_told(collected)}".rstrip())
    if strict and collected.unmapped:
        raise InputError(f"{source}: {len(collected.unmapped)} things have no match here\n{_told(collected)}")
    samples = b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in collected.samples)
    check_samples(samples.decode(), str(source))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SAMPLES).write_bytes(samples)
    (folder / MANIFEST).write_text(_manifest(kind, source, licence, collected), encoding="utf-8")
    return collected


def _manifest(kind: str, source: Path, licence: str, collected: Collected) -> str:
    """Return the text of a manifest whose samples are still to be read and blessed."""
    has = [name for name, key in SPOKEN.items() if any(each.get(key) is not None for each in collected.samples)]
    metrics = [*(name for name in NEEDS if name in has), *ALWAYS]
    lines = [
        "format: 1",
        f"licence: {json.dumps(licence, ensure_ascii=False)}",
        f"source: {json.dumps(f'imported from {source.name} ({kind})', ensure_ascii=False)}",
        f"sampling: {json.dumps({'temperature': 0, **collected.sampling})}",
        f"repeats: {min(100, max(1, collected.repeats))}",
        f"min_samples: {len(collected.samples)}",
        f"metrics: [{', '.join(metrics)}]",
    ]
    return "\n".join(lines) + "\n"


def _told(collected: Collected) -> str:
    return "\n".join(map(str, collected.unmapped))
