"""Inspect: its datasets (JSON, JSON Lines) and its logs (.json, .eval).

A dataset knows no scorer, so it must be named; a log names its own, and holds the messages that the solvers made.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.adapters.evalset_formats._collected import SAMPLING, Collected, id_of
from gatekeeper.adapters.evalset_formats._files import read_json, read_records
from gatekeeper.adapters.evalset_formats._inspect_scorers import SCORERS
from gatekeeper.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Wanted

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
AGENTS = frozenset({"use_tools", "basic_agent", "react", "handoff", "as_solver", "bridge", "human_cli"})
"""Solvers that give the model more than messages."""
WORLD = ("sandbox", "files", "setup")


def read(source: Path, wanted: Wanted) -> Collected:
    """Read a dataset or a log.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is neither, or holds something that is no sample.
    """
    log = _log(source)
    records = log["samples"] if log is not None else read_records(source)
    collected = Collected()
    scorers = [(wanted.scorer, dict(wanted.options))] if wanted.scorer else _scorers(log or {})
    if log is not None:
        _settings(log, collected)
    for number, record in enumerate(records, start=1):
        place = f"sample {number}"
        if not isinstance(record, dict) or "input" not in record:
            raise InputError(f"{source}: {place}: found {str(record)[:60]!r}, expected an object with input and target")
        if record.get("epoch", 1) == 1:
            _take(record, place, f"{source.stem}-{number:04d}", scorers, collected)
    return collected


def _log(source: Path) -> dict[str, Any] | None:
    """Return a log with its samples; None where the source is a dataset."""
    if source.suffix == ".eval":
        return _zipped(source)
    whole = read_json(source) if source.suffix == ".json" else None
    if not isinstance(whole, dict) or "eval" not in whole:
        return None
    if not isinstance(whole.get("samples"), list):
        raise InputError(f"{source}: found a log without samples (only its header?), expected the whole log")
    return whole


def _zipped(source: Path) -> dict[str, Any]:
    """Read a log in Inspect's own form: a zip archive with a header and a file for each sample."""
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
            header = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            whole: dict[str, Any] = orjson.loads(archive.read(header)) if header else {}
            told = sorted(name for name in names if name.startswith("samples/") and name.endswith(".json"))
            return {**whole, "samples": [orjson.loads(archive.read(name)) for name in told]}
    except FileNotFoundError as exc:
        raise NotFoundError(f"{source}: not found") from exc
    except NotImplementedError as exc:
        raise InputError(
            f"{source}: found a log packed with Zstandard, which Python reads from 3.14 on; expected it as JSON: "
            f"`inspect log convert {source} --to json --output-dir .`"
        ) from exc
    except (OSError, zipfile.BadZipFile, orjson.JSONDecodeError) as exc:
        raise InputError(f"{source}: not a log of Inspect: {exc}") from exc


def _settings(log: dict[str, Any], collected: Collected) -> None:
    """Take the sampling parameters and the number of epochs over."""
    spec = log.get("eval") or {}
    for config in (spec.get("model_generate_config") or {}, (log.get("plan") or {}).get("config") or {}):
        collected.sampling |= {key: config[key] for key in SAMPLING if config.get(key) is not None}
    collected.repeats = int((spec.get("config") or {}).get("epochs") or 1)
    for step in (log.get("plan") or {}).get("steps") or []:
        solver = str(step.get("solver", "")).rpartition("/")[2]
        if solver in AGENTS:
            collected.leave(
                "plan", f"solver {solver}", "tools and agents do not come along: write tools into the samples"
            )


def _scorers(log: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the options of each scorer that a log names."""
    told = (log.get("eval") or {}).get("scorers")
    if isinstance(told, list):
        return [(str(each.get("name", "")), each.get("options") or {}) for each in told if isinstance(each, dict)]
    scores = (log.get("results") or {}).get("scores") or []
    return [(str(each.get("scorer") or each.get("name") or ""), each.get("params") or {}) for each in scores]


def _take(
    record: dict[str, Any], place: str, name: str, scorers: list[tuple[str, dict[str, Any]]], collected: Collected
) -> None:
    given = record.get("target")
    targets = [str(each) for each in (given if isinstance(given, list) else [given]) if each not in (None, "")]
    sample: dict[str, Any] = {"id": id_of(record, name), "input": _messages(record)}
    if targets:
        sample["target"] = targets[0] if len(targets) == 1 else orjson.dumps(targets).decode()
    if record.get("metadata"):
        sample["metadata"] = dict(record["metadata"])
    collected.add(sample)
    for key in WORLD:
        if record.get(key):
            collected.leave(place, key, "an evalset has no sandbox: the prompt is asked by itself", sample)
    if not scorers and targets:
        collected.leave(place, "target", "nothing says how to compare with it: name a scorer", sample)
    for scorer, options in scorers:
        plain = scorer.rpartition("/")[2]
        if plain not in SCORERS:
            why = f"only {', '.join(sorted(SCORERS))} have a match here"
            collected.leave(place, f"scorer {scorer}", why, sample)
        elif not targets:
            collected.leave(place, f"scorer {scorer}", "the sample has no target", sample)
        else:
            SCORERS[plain](collected, sample, place, targets, options)


def _messages(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the model was asked: of a log, all messages before its first answer; with choices, these lettered."""
    held = record.get("messages")
    if isinstance(held, list) and held:
        asked = []
        for message in held:
            if message.get("role") == "assistant" and message.get("source") != "input":
                break
            asked.append(_message(message))
        return asked
    given = record["input"]
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else [_message(each) for each in given]
    choices = record.get("choices")
    if choices:
        listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
        told = f"\n\n{listed}\n\nEnd with one line: 'ANSWER: ' and the letter of the right choice."
        messages[-1] = {**messages[-1], "content": f"{messages[-1]['content']}{told}"}
    return messages


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """Keep of a message what an endpoint takes."""
    kept = {key: message[key] for key in ("role", "content", "tool_call_id") if message.get(key) is not None}
    calls = message.get("tool_calls")
    if calls:
        kept["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["function"], "arguments": orjson.dumps(call.get("arguments", {})).decode()},
            }
            for call in calls
        ]
    return kept
