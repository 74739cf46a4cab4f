"""`gatekeeper doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from gatekeeper.cli._checkup import Health, Remark, checkup
from gatekeeper.cli._console import emit
from gatekeeper.settings import read_settings

_BROKEN = 4


class Form(StrEnum):
    """Name the forms of the result."""

    TEXT = "text"
    JSON = "json"


def command(
    *,
    form: Annotated[Form, typer.Option("--format", help="The result's form.")] = Form.TEXT,
) -> int:
    """Name what is missing, and the command that mends it; exit code 4 if something needed is broken."""
    remarks = []
    for remark in checkup(read_settings(os.environ)):
        remarks.append(remark)
        if form is Form.TEXT:
            emit(_line(remark))
    if form is Form.JSON:
        emit(json.dumps([asdict(remark) for remark in remarks], indent=2, ensure_ascii=False))
    return _BROKEN if any(remark.health is Health.BROKEN for remark in remarks) else 0


def _line(remark: Remark) -> str:
    mend = f"\n{'':8}mend: {remark.mend}" if remark.mend else ""
    return f"{remark.health:6}  {remark.name}: {remark.found}{mend}"
