"""The last-known-good splits on disk: checksummed, written whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from gatekeeper.errors import InputError
from gatekeeper.model.split import Split
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Hold a split as the file had it; `applied` is False where it was too old to send anybody to the candidate."""

    split: Split
    applied: bool = True


def write(path: Path, splits: Iterable[Split], saved_at: float) -> None:
    """Replace the file atomically; saved_at: unix seconds."""
    body = orjson.dumps({"saved_at": saved_at, "splits": [to_dict(split) for split in splits]})
    line = orjson.dumps({"sha256": hashlib.sha256(body).hexdigest()})
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    with fresh.open("wb") as file:
        file.write(line + b"\n" + body + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _checked(content: bytes) -> bytes:
    line, body, rest = content.split(b"\n", 2)
    if rest or orjson.loads(line)["sha256"] != hashlib.sha256(body).hexdigest():
        raise InputError("its checksum does not match")
    return body


def read(path: Path, now: float, max_age_s: float) -> list[Remembered]:
    """Return what the file holds; nothing when it is missing, truncated, corrupt or not ours, which is logged.

    A file older than max_age_s, or from the future by more than that, sends everybody to the baseline.
    """
    try:
        plain = orjson.loads(_checked(path.read_bytes()))
        splits = [from_dict(Split, one) for one in plain["splits"]]
        fresh = abs(now - float(plain["saved_at"])) <= max_age_s
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, InputError) as exc:
        log.warning("split file %s refused: %s", path, exc)
        return []
    if fresh:
        return [Remembered(split) for split in splits]
    log.warning("split file %s is older than %g s: all traffic to the baselines it names", path, max_age_s)
    return [  # no listed key is served by the candidate either
        Remembered(replace(split, candidate_bp=0, control_bp=0, mirror_bp=0), applied=False) for split in splits
    ]
