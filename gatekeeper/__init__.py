"""gatekeeper: a release gate for LLM serving."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["__version__", "analyze"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for; `__init__.pyi` tells the types
    """Import what is asked for only then, so that importing the package costs nothing."""
    if name == "analyze":
        return importlib.import_module("gatekeeper.flow.analyze").analyze
    if name == "__version__":
        metadata = importlib.import_module("importlib.metadata")
        try:
            return metadata.version("llm-gatekeeper")
        except metadata.PackageNotFoundError:
            return "0"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
