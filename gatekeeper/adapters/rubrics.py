"""Rubrics in files: YAML or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gatekeeper.errors import InputError
from gatekeeper.model.judging import Rubric

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("name", "criteria", "low", "high", "passes")


def read_rubric(path: Path) -> Rubric:
    """Read a rubric; what it leaves out is as `Rubric` has it.

    Raises:
        InputError: not readable, unknown keys, or a scale that is none.
    """
    try:
        body = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path}: {getattr(exc, 'strerror', None) or exc}") from exc
    except YAMLError as exc:
        raise InputError(f"{path}: {exc}") from exc
    if not isinstance(body, dict) or not str(body.get("criteria") or "").strip():
        raise InputError(f"{path}: holds no criteria; expected a mapping of {', '.join(KEYS)}")
    if unknown := [str(key) for key in body if key not in KEYS]:
        raise InputError(f"{path}: unknown key {unknown[0]!r}; known: {', '.join(KEYS)}")
    try:
        rubric = msgspec.convert(body, Rubric)
    except msgspec.ValidationError as exc:
        raise InputError(f"{path}: {exc}") from exc
    if not rubric.low < rubric.passes <= rubric.high:
        raise InputError(
            f"{path}: low {rubric.low}, passes {rubric.passes}, high {rubric.high}; expected low < passes <= high"
        )
    return rubric
