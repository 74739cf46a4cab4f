"""Opinions that were paid for once, kept in a file: JSON lines, known by the digest of all they depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gatekeeper.errors import InputError
from gatekeeper.model.judging import Opinion  # noqa: TC001 - msgspec reads the annotation at run time
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


class _Line(msgspec.Struct):
    digest: str
    opinion: Opinion


class OpinionFile:
    """Keep opinions in a file, each appended whole and read back at the start; use it in `with`. None: in memory."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is there.

        Raises:
            InputError: the file cannot be read, or holds something else.
        """
        self._path = path
        self._known: dict[str, Opinion] = {}
        self._file = None
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        body = path.read_bytes() if path.exists() else b""
        for line in body.splitlines():
            try:
                read = msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError:
                continue  # cut off when its writer was killed
            self._known[read.digest] = read.opinion
        if body.strip() and not self._known:
            raise InputError(f"{path}: holds something else than kept opinions; name another file with --cache")
        self._file = path.open("ab")
        self._file.write(b"\n" if body and not body.endswith(b"\n") else b"")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def get(self, digest: str) -> Opinion | None:
        """Return a kept opinion."""
        return self._known.get(digest)

    def put(self, digest: str, opinion: Opinion) -> None:
        """Keep an opinion at once."""
        self._known[digest] = opinion
        if self._file is not None:
            self._file.write(msgspec.json.encode({"digest": digest, "opinion": to_dict(opinion)}) + b"\n")
            self._file.flush()
