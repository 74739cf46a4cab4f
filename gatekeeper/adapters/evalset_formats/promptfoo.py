"""promptfoo: a configuration (YAML) with prompts, variables and assertions: a sample for each prompt and test."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.adapters.evalset_formats._collected import SAMPLING, Collected
from gatekeeper.adapters.evalset_formats._files import read_records, read_text, read_yaml
from gatekeeper.adapters.evalset_formats._promptfoo_asserts import expect
from gatekeeper.adapters.evalset_formats._promptfoo_csv import read_table
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Wanted

FILE = "file://"
TEXTS = (".txt", ".md", ".json")
MOST_PROMPTS = 100_000
SHAPING = ("tools", "functions", "response_format", "systemPrompt", "system_prompt")
"""Settings of a provider without which its answers are others."""
_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_][\w.]*)\s*-?\}\}")
_MORE = re.compile(r"\{\{|\{%|\{#")


class _TemplateError(Exception):
    """Say what of a template cannot be filled in here."""


def read(source: Path, _wanted: Wanted) -> Collected:
    """Read a configuration and the files with prompts and tests that it names; no script is run.

    Raises:
        NotFoundError: there is no such file.
        InputError: it is no configuration, or its variables make more than 100,000 prompts.
    """
    config = read_yaml(source)
    if not isinstance(config, dict) or not config.get("prompts"):
        raise InputError(f"{source}: found no prompts, expected a promptfoo configuration with prompts and tests")
    collected = Collected()
    for key in ("scenarios", "extensions", "nunjucksFilters", "redteam"):
        if config.get(key):
            collected.leave(key, key, "has no match here")
    _providers(config.get("providers") or config.get("targets"), collected)
    prompts = list(_prompts(config["prompts"], source, collected))
    default = config.get("defaultTest")
    if isinstance(default, str):
        collected.leave("defaultTest", default, "a file of its own is not read: write it into the configuration")
    base = default if isinstance(default, dict) else {}
    for number, test in enumerate(_tests(config.get("tests") or [{}], source, collected)):
        _take(number, test, base, prompts, collected, config.get("assertionTemplates") or {})
    if isinstance((config.get("evaluateOptions") or {}).get("repeat"), int):
        collected.repeats = config["evaluateOptions"]["repeat"]
    return collected


def _prompts(told: Any, source: Path, collected: Collected) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any YAML
    """Yield each prompt's place and template."""
    for number, entry in enumerate(told if isinstance(told, list) else [told]):
        place = f"prompts[{number}]"
        raw = entry.get("raw") or entry.get("id") if isinstance(entry, dict) else entry
        if not isinstance(raw, str):
            collected.leave(place, str(entry)[:60], "only texts and text files are prompts here")
        elif not raw.startswith(FILE) and not (raw.endswith(TEXTS) and (source.parent / raw).is_file()):
            yield place, raw
        elif raw.endswith(TEXTS):
            text = read_text(source.parent / raw.removeprefix(FILE))
            parts = re.split(r"(?m)^---\s*$", text) if raw.endswith(".txt") else [text]
            yield from ((f"{place}#{index}", part.strip()) for index, part in enumerate(parts) if part.strip())
        else:
            collected.leave(place, raw, "only .txt, .md and .json files are read: scripts are never run")


def _tests(told: Any, source: Path, collected: Collected) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any YAML
    """Yield each test, from the configuration or from files that hold data."""
    for entry in told if isinstance(told, list) else [told]:
        if isinstance(entry, dict):
            yield entry
        elif isinstance(entry, str) and entry.endswith((".yaml", ".yml", ".json", ".jsonl", ".csv")):
            for path in _matching(source.parent, entry.removeprefix(FILE)):
                yield from read_table(path) if path.suffix == ".csv" else _held(path)
        else:
            collected.leave("tests", str(entry)[:80], "only YAML, JSON, JSON Lines and CSV files of tests are read")


def _matching(folder: Path, told: str) -> list[Path]:
    """Return the files that a path means, which may hold `*`; a plain path is returned whether or not it is there."""
    return sorted(folder.glob(told)) if "*" in told else [folder / told]


def _held(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tests of a file of data."""
    held = read_yaml(path) if path.suffix in (".yaml", ".yml") else read_records(path)
    yield from (each for each in (held if isinstance(held, list) else [held]) if isinstance(each, dict))


def _providers(told: Any, collected: Collected) -> None:  # noqa: ANN401 - any YAML
    """Take the sampling parameters over where all providers agree on them; note what else would change answers."""
    configs = [each.get("config") or {} for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    for number, config in enumerate(configs):
        for key in SHAPING:
            if isinstance(config, dict) and config.get(key):
                collected.leave(f"providers[{number}].config", key, "write it into the samples: tools, response_schema")
    for key in SAMPLING:
        values = [config.get(key) for config in configs if isinstance(config, dict)]
        if values and values[0] is not None and values.count(values[0]) == len(told):
            collected.sampling[key] = values[0]


def _take(
    number: int,
    test: dict[str, Any],
    base: Mapping[str, Any],
    prompts: list[tuple[str, str]],
    collected: Collected,
    templates: Mapping[str, Any],
) -> None:
    """Add a sample for each prompt and each combination of a test's variables."""
    variables = {**(base.get("vars") or {}), **(test.get("vars") or {})}
    options = {**(base.get("options") or {}), **(test.get("options") or {})}
    lists = {key: value for key, value in variables.items() if isinstance(value, list)}
    combinations = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]
    if len(combinations) * len(prompts) > MOST_PROMPTS:
        raise InputError(f"tests[{number}]: found more than {MOST_PROMPTS:,} prompts, expected fewer values of vars")
    asserts = [*(base.get("assert") or []), *(test.get("assert") or [])]
    for turn, chosen in enumerate(combinations):
        filled = {**variables, **chosen}
        for order, (place, template) in enumerate(prompts):
            where = f"tests[{number}]" + (f" with {place}" if len(prompts) > 1 else "")
            whole = f"{options.get('prefix', '')}{template}{options.get('suffix', '')}"
            try:
                messages = _messages(whole, filled)
            except _TemplateError as exc:
                collected.leave(where, "the whole sample", str(exc))
                continue
            parts = [
                f"test-{number + 1:04d}",
                f"v{turn + 1}" * (len(combinations) > 1),
                f"p{order + 1}" * (len(prompts) > 1),
            ]
            sample: dict[str, Any] = {"id": "-".join(filter(None, parts)), "input": messages}
            metadata = {**(test.get("metadata") or {})}
            if test.get("description"):
                metadata["description"] = test["description"]
            if metadata:
                sample["metadata"] = metadata
            collected.add(sample)
            for key in ("threshold", "provider", "providers", "assertScoringFunction"):
                if test.get(key, base.get(key)) is not None:
                    collected.leave(
                        where, f"{key}: {str(test.get(key, base.get(key)))[:60]}", "has no match here", sample
                    )
            _assert_all(asserts, where, filled, sample, collected, {"options": options, "templates": templates})


def _assert_all(
    asserts: list[Any],
    where: str,
    variables: Mapping[str, Any],
    sample: dict[str, Any],
    collected: Collected,
    given: Mapping[str, Any],
) -> None:
    """Map every assertion of a test."""
    for index, told in enumerate(asserts):
        place = f"{where}.assert[{index}]"
        assertion = told
        if isinstance(told, dict) and isinstance(told.get("$ref"), str):
            assertion = given["templates"].get(told["$ref"].rpartition("/")[2])
        if not isinstance(assertion, dict) or not isinstance(assertion.get("type"), str):
            collected.leave(place, str(told)[:60], "is no assertion with a type", sample)
            continue
        changes = next((key for key in ("transform", "postprocess") if given["options"].get(key)), None)
        if changes:
            why = f"the test's {changes} changes the answer first, by a script"
            collected.leave(place, assertion["type"], why, sample)
            continue
        try:
            expect(collected, sample, place, {**assertion, "value": _filled(assertion.get("value"), variables)})
        except _TemplateError as exc:
            collected.leave(place, assertion["type"], str(exc), sample)


def _messages(template: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Fill in a prompt; one that is a JSON list is one of chat messages.

    Raises:
        _TemplateError: the template, or a variable, cannot be filled in here.
    """
    if template.lstrip().startswith("["):
        try:
            parsed = orjson.loads(template)
        except orjson.JSONDecodeError:
            parsed = None
        if isinstance(parsed, list) and all(isinstance(each, dict) and "role" in each for each in parsed):
            filled: list[dict[str, Any]] = _filled(parsed, variables)
            return filled
    return [{"role": "user", "content": _filled(template, variables)}]


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    """Fill variables into every text of a value."""
    if isinstance(value, dict):
        return {key: _filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    if _MORE.search(_VARIABLE.sub("", value)):
        raise _TemplateError("only plain {{ variables }} of a template are filled in here")
    return _VARIABLE.sub(lambda found: _text(found.group(1), variables), value)


def _text(name: str, variables: Mapping[str, Any]) -> str:
    """Return a variable's text; a dot goes into a mapping."""
    value: Any = variables
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            raise _TemplateError(f"the variable {name!r} has no value")
        value = value[part]
    if isinstance(value, str) and value.startswith(FILE):
        raise _TemplateError(f"the variable {name!r} is a file, {value}: write its content into the test")
    return value if isinstance(value, str) else orjson.dumps(value).decode()
