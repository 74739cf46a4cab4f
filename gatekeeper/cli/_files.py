"""Reading what a command line names: a file, or `-` for stdin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gatekeeper.errors import Fault, InputError, PolicyError

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.model.policy import Policy

_MOST_BYTES = 1024 * 1024


def read_text(path: Path) -> str:
    """Return a text file's content, or stdin's for `-`.

    Raises:
        InputError: it is not there, not readable, not UTF-8, or larger than a megabyte.
    """
    try:
        if str(path) == "-":
            raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise InputError(f"{path}: {exc.strerror}") from exc
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path}: found more than {_MOST_BYTES:,} bytes, expected fewer")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
        raise PolicyError((Fault("found bytes that are not UTF-8 text", "", line, column, str(path)),)) from exc


def read_policy(path: Path) -> tuple[Policy, str]:
    """Return a policy file's policy and its text.

    Raises:
        InputError: it cannot be read; a `PolicyError` holds its faults, all at once.
    """
    from gatekeeper.decide.policyfile import parse_policy  # noqa: PLC0415 - jsonschema and YAML take 90 ms

    text = read_text(path)
    return parse_policy(text, file=str(path)), text
