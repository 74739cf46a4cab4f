"""OpenAI Evals: a registry file (YAML) with its samples, or samples (JSON Lines) alone, for which a class is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.evalset_formats._collected import Collected, id_of
from gatekeeper.adapters.evalset_formats._files import read_records, read_yaml
from gatekeeper.errors import InputError, NotFoundError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Wanted

KNOWN = ("FuzzyMatch", "Includes", "JsonMatch", "Match")
YAML_NAMES = (".yaml", ".yml")


def read(source: Path, wanted: Wanted) -> Collected:
    """Read a registry file or a file of samples.

    Raises:
        NotFoundError: the source, or the samples it names, are not there.
        UnknownNameError: the registry file has no eval of that name; the message lists those that exist.
        InputError: a sample has no input, or the registry file has several evals and none is named.
    """
    collected = Collected()
    kind, options, samples = wanted.scorer, dict(wanted.options), source
    if source.suffix in YAML_NAMES:
        kind, options, samples = _registered(source, wanted.name)
        for key, value in options.items():
            if key in ("num_few_shot", "few_shot_jsonl") and value:
                collected.leave(source.name, f"{key}: {value}", "no examples are put before the prompt")
        if isinstance(options.get("max_tokens"), int):
            collected.sampling["max_tokens"] = options["max_tokens"]
    for number, record in enumerate(read_records(samples), start=1):
        place = f"{samples.name} line {number}"
        if not isinstance(record, dict) or "input" not in record:
            raise InputError(f"{place}: found {str(record)[:60]!r}, expected an object with input and ideal")
        _take(record, place, f"{samples.parent.name or samples.stem}-{number:04d}", (kind, options), collected)
    return collected


def _registered(source: Path, name: str) -> tuple[str, dict[str, Any], Path]:
    """Return an eval's class, its arguments, and where its samples are."""
    document = read_yaml(source)
    entries = {
        str(key): each
        for key, each in (document.items() if isinstance(document, dict) else ())
        if isinstance(each, dict) and "class" in each
    }
    base = (document.get(name) or {}).get("id") if isinstance(document, dict) and name else None
    chosen = str(base or name) or (next(iter(entries)) if len(entries) == 1 else "")
    if not chosen:
        raise InputError(f"{source}: found {len(entries)} evals ({', '.join(entries)}), expected the name of one")
    if chosen not in entries:
        raise UnknownNameError("eval", chosen, tuple(entries))
    options = dict(entries[chosen].get("args") or {})
    told = str(options.get("samples_jsonl") or "")
    places = [source.parent / told, source.parent.parent / "data" / told]
    found = next((place for place in places if told and place.is_file()), None)
    if found is None:
        raise NotFoundError(f"{source}: {chosen}: samples {told!r} not found; looked at {', '.join(map(str, places))}")
    return str(entries[chosen]["class"]), options, found


def _take(
    record: dict[str, Any], place: str, name: str, how: tuple[str, Mapping[str, Any]], collected: Collected
) -> None:
    given, ideal = record["input"], record.get("ideal")
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    sample: dict[str, Any] = {"id": id_of(record, name), "input": messages}
    told = [each for each in (ideal if isinstance(ideal, list) else [ideal]) if each is not None]
    ideals = [each if isinstance(each, str) else json.dumps(each) for each in told]
    if ideals:
        sample["target"] = ideals[0] if len(ideals) == 1 else json.dumps(ideals, ensure_ascii=False)
    rest = {key: value for key, value in record.items() if key not in ("input", "ideal", "id")}
    if rest:
        sample["metadata"] = rest
    collected.add(sample)
    _expect(ideals, place, how, sample, collected)


def _expect(
    ideals: list[str], place: str, how: tuple[str, Mapping[str, Any]], sample: dict[str, Any], collected: Collected
) -> None:
    """Map an eval's class to a check of its ideal answers."""
    kind, options = how
    name = kind.replace(":", ".").rpartition(".")[2]
    if not ideals:
        collected.leave(place, f"class {kind or '(none)'}", "the sample has no ideal answer", sample)
    elif not kind:
        collected.leave(place, "ideal", f"nothing says how to compare with it: name one of {', '.join(KNOWN)}", sample)
    elif name == "Match":
        collected.expect(sample, place, kind, {"type": "starts_with", "value": ideals})
    elif name == "Includes":
        fold = bool(options.get("ignore_case", False))
        collected.expect(sample, place, kind, {"type": "contains_any", "value": ideals, "ignore_case": fold})
    elif name == "FuzzyMatch":
        collected.adapt(place, kind, "an answer that is only a part of the ideal one is wrong here; punctuation counts")
        collected.expect(sample, place, kind, {"type": "contains_any", "value": ideals, "ignore_case": True})
    elif name == "JsonMatch" and len(ideals) == 1 and (value := _parsed(ideals[0])) is not None:
        collected.adapt(place, kind, "further keys in the answer are forgiven here")
        collected.expect(sample, place, kind, {"type": "json_subset", "value": value})
    else:
        collected.leave(place, f"class {kind}", f"only {', '.join(KNOWN)} have a match here", sample)


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return an ideal answer's JSON value; None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None
