"""The evalsets that a server may ask: the folders under one folder, read when they are asked for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gatekeeper.adapters.evalsets import MANIFEST, read_evalset
from gatekeeper.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.model.evalset import Evalset


class EvalsetShelf:
    """Read evalsets by name; implements `ports.Evalsets`."""

    def __init__(self, root: Path) -> None:
        """Keep the folder whose folders are evalsets; it is not looked at yet."""
        self._root = root

    def names(self) -> list[str]:
        """List the evalsets there are, in order."""
        return sorted(found.parent.name for found in self._root.glob(f"*/{MANIFEST}"))

    def read(self, name: str) -> Evalset:
        """Read and check an evalset; name: its folder's, also with the root's own before it (`evalsets/support`).

        Raises:
            InputError: the name leads out of the root.
            NotFoundError: there is none of this name; the message lists those that there are.
            PolicyError: its files have faults.
        """
        path = PurePosixPath(name)
        parts = path.parts[1:] if path.parts[:1] == (self._root.name,) else path.parts
        if path.is_absolute() or ".." in parts or not parts:
            raise InputError(f"evalset {name!r}: found a path, expected the name of a folder in {self._root}")
        folder = self._root.joinpath(*parts)
        if not (folder / MANIFEST).is_file():
            known = ", ".join(self.names()) or "none"
            raise NotFoundError(f"no evalset {name!r} in {self._root} (GATEKEEPER_EVALSETS_DIR); there: {known}")
        return read_evalset(folder)
