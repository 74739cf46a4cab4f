"""Evalsets on disk: `manifest.yaml` and `samples.jsonl`, checked whole before anything is asked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from gatekeeper import registry
from gatekeeper.decide._faults import Faults
from gatekeeper.decide._yaml import read as read_yaml
from gatekeeper.errors import Fault, NotFoundError, PolicyError
from gatekeeper.metrics._checks import fault
from gatekeeper.model import schema as schemas
from gatekeeper.model.evalset import EvalSample, Evalset
from gatekeeper.model.wire import from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST, SAMPLES = "manifest.yaml", "samples.jsonl"
MOST_FAULTS = 50
MESSAGE_CHARS = 200
_DIGEST_LINE = re.compile(r"^sha256:.*$", re.MULTILINE)


def read_evalset(path: Path) -> Evalset:
    """Read and check an evalset's folder.

    Raises:
        PolicyError: with every fault of both files, each with its line; or the samples are not those that were blessed.
        NotFoundError: a file is missing.
    """
    evalset, faults = _read(path)
    wanted = evalset.digest
    computed = _digest(path / SAMPLES) if not faults else wanted
    if wanted != computed:
        message = f"found samples with digest {computed}, expected {wanted or 'a digest here'}; if that is meant, run "
        faults.append(Fault(f"{message}`gatekeeper evalset bless {path}`", "sha256", file=str(path / MANIFEST)))
    _raise(faults)
    return evalset


def bless(path: Path) -> str:
    """Write the digest of the samples into the manifest, once everything else about the evalset holds; return it.

    Raises:
        PolicyError: with every fault of both files.
        NotFoundError: a file is missing.
    """
    _raise(_read(path)[1])
    digest = _digest(path / SAMPLES)
    manifest = path / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    line = f'sha256: "{digest}"'
    blessed = _DIGEST_LINE.sub(line, text, count=1) if _DIGEST_LINE.search(text) else f"{text.rstrip()}\n{line}\n"
    manifest.write_text(blessed, encoding="utf-8")
    return digest


def _read(path: Path) -> tuple[Evalset, list[Fault]]:
    """Return what could be read of both files, and everything that is wrong with it."""
    samples, faults = _samples(path / SAMPLES)
    try:
        manifest = _manifest(path / MANIFEST, None if faults else len(samples))
    except PolicyError as exc:
        faults = [*exc.faults, *faults]
    if faults:
        return Evalset(name=path.name, digest="", samples=()), faults
    plain = {"name": path.resolve().name, **manifest, "digest": manifest.get("sha256", ""), "samples": []}
    return replace(from_dict(Evalset, plain), samples=samples), []


def _manifest(file: Path, found: int | None) -> dict[str, Any]:
    """Read a manifest whose evalset has `found` samples (None: that is not known).

    Raises:
        PolicyError: with every fault of the file.
    """
    document = read_yaml(_text(file), str(file))
    faults = Faults(document, str(file))
    for error in Draft202012Validator(schemas.load("evalset")).iter_errors(document.value):
        path = tuple(error.absolute_path)
        faults.add(path, error.message[:MESSAGE_CHARS], block=bool(path))
    manifest = document.value if isinstance(document.value, dict) else {}
    known = registry.names("metrics")
    for index, name in enumerate(manifest.get("metrics", ()) if faults.usable(("metrics",)) else ()):
        if name not in known:
            faults.add(("metrics", index), f"unknown metric {name!r}; known: {', '.join(known)}")
    needed = manifest.get("min_samples", 0)
    if found is not None and faults.usable(("min_samples",)) and found < needed:
        faults.add(("min_samples",), f"found {found} samples, expected at least {needed}")
    faults.raise_any()
    return manifest


def _samples(path: Path) -> tuple[tuple[EvalSample, ...], list[Fault]]:
    file = str(path)
    validator = Draft202012Validator(schemas.load("evalset_sample"))
    faults: list[Fault] = []
    found: dict[str, tuple[int, EvalSample]] = {}
    for line, plain, message in _lines(path):
        errors = [message] if message else [_words(error) for error in validator.iter_errors(plain)]
        errors = errors or _unusable_checks(plain)
        if not errors and plain["id"] in found:
            errors = [f"id: found {plain['id']!r} a second time (first on line {found[plain['id']][0]}), expected once"]
        faults += [Fault(error, file=file, line=line, column=1) for error in errors]
        if not errors:
            found[plain["id"]] = (line, from_dict(EvalSample, plain))
    if not found and not faults:
        faults.append(Fault("found no sample, expected at least one a line", file=file, line=1, column=1))
    return tuple(sample for _, sample in found.values()), faults


def _unusable_checks(plain: dict[str, Any]) -> list[str]:
    """Name the expectations that nothing can check: a check that is never made must not look like one that holds."""
    faults = [fault(expectation) for expectation in plain.get("expect", ())]
    return [f"expect[{index}]: {message}" for index, message in enumerate(faults) if message]


def _lines(path: Path) -> Iterator[tuple[int, Any, str]]:
    """Yield line number (from 1), parsed value, and what is wrong with the line ("" for nothing)."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield number, orjson.loads(line), ""
        except orjson.JSONDecodeError as exc:
            yield number, None, f"found a line that is not JSON ({exc}), expected one object a line"


def _digest(path: Path) -> str:
    """Return the SHA-256 (hex) over the samples in order, each as JSON with sorted keys, a line each."""
    content = hashlib.sha256()
    for _, plain, _ in _lines(path):
        content.update(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
    return content.hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise NotFoundError(f"{path}: not found; an evalset is a folder with {MANIFEST} and {SAMPLES}") from exc
    except UnicodeDecodeError as exc:
        raise PolicyError(
            (Fault(f"found bytes that are no UTF-8 at {exc.start}, expected text", file=str(path)),)
        ) from exc


def _words(error: Any) -> str:  # noqa: ANN401  # jsonschema has no types
    return f"{error.json_path.removeprefix('$.')}: {error.message[:MESSAGE_CHARS]}"


def _raise(faults: list[Fault]) -> None:
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [Fault(f"and {len(faults) - MOST_FAULTS:,} more faults")]
    if faults:
        raise PolicyError(tuple(faults))
