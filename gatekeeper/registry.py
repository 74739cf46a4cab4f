"""Finding a plug-in by its file's name: no list to edit, nothing imported before the name is known to exist."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.errors import UnknownNameError

if TYPE_CHECKING:
    from types import ModuleType


@cache
def names(package: str) -> tuple[str, ...]:
    """List the plug-ins of a package folder, sorted: its public modules, not imported. The folder is read once.

    package: dotted name below `gatekeeper`, such as `metrics` or `adapters.engines`.
    """
    folder = Path(__file__).parent.joinpath(*package.split("."))
    return tuple(sorted(m.name for m in pkgutil.iter_modules([str(folder)]) if not m.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Import the plug-in `name` of a package folder.

    Raises:
        UnknownNameError: no such file; the message lists those that exist.
    """
    known = names(package)
    if name not in known:
        raise UnknownNameError(package.rsplit(".", maxsplit=1)[-1].removesuffix("s"), name, known)
    return importlib.import_module(f"gatekeeper.{package}.{name}")
