"""Evalsets on disk: `manifest.yaml` and `samples.jsonl`, checked whole before anything is asked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from gatekeeper import registry
from gatekeeper.adapters._evalset_lines import Line, read_lines
from gatekeeper.adapters._evalset_rules import silent_metrics, unusable
from gatekeeper.decide._faults import Faults
from gatekeeper.decide._yaml import read as read_yaml
from gatekeeper.decide.alike import Alike, alike
from gatekeeper.errors import Fault, NotFoundError, PolicyError
from gatekeeper.metrics._answer import prompt_text
from gatekeeper.model import schema as schemas
from gatekeeper.model.evalset import EvalSample, Evalset
from gatekeeper.model.wire import from_dict

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST, SAMPLES = "manifest.yaml", "samples.jsonl"
MOST_FAULTS = 50
MESSAGE_CHARS = 200
NEAR = 0.8
"""Share of common pieces from which prompts are told as nearly the same, where the manifest sets no bound."""
_DIGEST_LINE = re.compile(r"^sha256:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Read:
    """Hold what could be read of an evalset's folder: an empty evalset where something is wrong."""

    evalset: Evalset
    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_evalset(path: Path) -> Evalset:
    """Read and check an evalset's folder; whether its prompts are alike is `check_evalset`'s to say.

    Raises:
        PolicyError: with every fault of both files, each with its line; or the samples are not those that were blessed.
        NotFoundError: a file is missing.
    """
    found = _read(path)
    _raise([*found.faults, *_digest_fault(path, found)])
    return found.evalset


def check_evalset(path: Path) -> tuple[Evalset, list[Alike]]:
    """Read and check an evalset's folder, and find the prompts that are nearly the same.

    Returns the evalset and its near pairs (none where the manifest bounds them: there they are faults).

    Raises:
        PolicyError: as `read_evalset`, and for each pair beyond the manifest's `max_similarity`.
        NotFoundError: a file is missing.
    """
    found = _read(path)
    pairs = _near(found.evalset)
    _raise([*found.faults, *_pair_faults(path, found, pairs), *_digest_fault(path, found)])
    return found.evalset, pairs


def bless(path: Path) -> str:
    """Write the digest of the samples into the manifest, once everything else about the evalset holds; return it.

    Raises:
        PolicyError: with every fault of both files.
        NotFoundError: a file is missing.
    """
    found = _read(path)
    _raise([*found.faults, *_pair_faults(path, found, _near(found.evalset))])
    digest = _digest(found.lines)
    manifest = path / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    line = f'sha256: "{digest}"'
    blessed = _DIGEST_LINE.sub(line, text, count=1) if _DIGEST_LINE.search(text) else f"{text.rstrip()}\n{line}\n"
    manifest.write_text(blessed, encoding="utf-8")
    return digest


def check_samples(text: str, file: str) -> None:
    """Check the text of a samples file before it is written; raises PolicyError with every fault, placed in `file`."""
    _raise(_samples(text, file)[2])


def _read(path: Path) -> _Read:
    """Return what could be read of both files, and everything that is wrong with it."""
    samples, lines, faults = _samples(_text(path / SAMPLES), str(path / SAMPLES))
    try:
        manifest = _manifest(path / MANIFEST, None if faults else samples)
    except PolicyError as exc:
        faults = [*exc.faults, *faults]
    if faults:
        return _Read(Evalset(name=path.name, digest="", samples=()), lines, faults)
    plain = {"name": path.resolve().name, **manifest, "digest": manifest.get("sha256", ""), "samples": []}
    return _Read(replace(from_dict(Evalset, plain), samples=samples), lines)


def _manifest(file: Path, samples: tuple[EvalSample, ...] | None) -> dict[str, Any]:
    """Read a manifest; samples: None where they could not be read, and so cannot be counted.

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
    metrics = manifest.get("metrics", []) if faults.usable(("metrics",)) else []
    for index, name in enumerate(metrics):
        if name not in known:
            faults.add(("metrics", index), f"unknown metric {name!r}; known: {', '.join(known)}")
    if samples is not None:
        for index, message in silent_metrics(metrics, samples):
            faults.add(("metrics", index), message)
        needed = manifest.get("min_samples", 0)
        if faults.usable(("min_samples",)) and len(samples) < needed:
            faults.add(("min_samples",), f"found {len(samples)} samples, expected at least {needed}")
    faults.raise_any()
    return manifest


def _samples(text: str, file: str) -> tuple[tuple[EvalSample, ...], list[Line], list[Fault]]:
    validator = Draft202012Validator(schemas.load("evalset_sample"))
    lines: list[Line] = []
    faults: list[Fault] = []
    found: dict[str, tuple[int, EvalSample]] = {}
    for line in read_lines(text, file):
        if isinstance(line, Fault):
            faults.append(line)
            continue
        lines.append(line)
        plain = line.value
        errors = [(tuple(error.absolute_path), _words(error)) for error in validator.iter_errors(plain)]
        errors = errors or [(at, f"{_shown(at)}: {message}") for at, message in unusable(plain)]
        if not errors and plain["id"] in found:
            first = found[plain["id"]][0]
            errors = [(("id",), f"id: found {plain['id']!r} a second time (first on line {first}), expected once")]
        faults += [line.fault(message, at, file) for at, message in errors]
        if not errors:
            found[plain["id"]] = (line.number, from_dict(EvalSample, plain))
    if not found and not faults:
        faults.append(Fault("found no sample, expected at least one a line", file=file, line=1, column=1))
    return tuple(sample for _, sample in found.values()), lines, faults


def _near(evalset: Evalset) -> list[Alike]:
    """Return the pairs of samples whose users say nearly the same."""
    texts = [_said(sample, "user") or _said(sample, "") or sample.id for sample in evalset.samples]
    return list(alike(texts, NEAR if evalset.max_similarity is None else evalset.max_similarity))


def _said(sample: EvalSample, role: str) -> str:
    """Return all text of a role's messages; of all messages for the role ""."""
    return prompt_text({"messages": [message for message in sample.input if role in ("", message["role"])]})


def _pair_faults(path: Path, found: _Read, pairs: list[Alike]) -> list[Fault]:
    """Return a fault for each pair of prompts more alike than the manifest allows; it may allow any."""
    most = found.evalset.max_similarity
    if most is None:
        return []
    told = [
        (pair, f"shares {pair.share:.2f} of its prompt with {found.evalset.samples[pair.earlier].id!r}")
        for pair in pairs
        if pair.share > most
    ]
    return [
        found.lines[pair.later].fault(
            f"{words} on line {found.lines[pair.earlier].number} (numbers aside), expected at most {most}",
            ("input",),
            str(path / SAMPLES),
        )
        for pair, words in told
    ]


def _digest_fault(path: Path, found: _Read) -> list[Fault]:
    """Return the fault that the samples are not those that were blessed; none while others must be mended first."""
    wanted = found.evalset.digest
    computed = wanted if found.faults else _digest(found.lines)
    if wanted == computed:
        return []
    message = f"found samples with digest {computed}, expected {wanted or 'a digest here'}; if that is meant, run "
    return [Fault(f"{message}`gatekeeper evalset bless {path}`", "sha256", file=str(path / MANIFEST))]


def _digest(lines: list[Line]) -> str:
    """Return the SHA-256 (hex) over the samples in order, each as JSON with sorted keys, a line each."""
    content = hashlib.sha256()
    for line in lines:
        content.update(orjson.dumps(line.value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
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


def _shown(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _raise(faults: list[Fault]) -> None:
    if len(faults) > MOST_FAULTS:
        faults[MOST_FAULTS:] = [Fault(f"and {len(faults) - MOST_FAULTS:,} more faults")]
    if faults:
        raise PolicyError(tuple(faults))
