"""Evalsets of other tools: what comes along, and that nothing is dropped in silence."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.evalset_formats._collected import Wanted
from gatekeeper.adapters.evalset_import import formats, import_evalset
from gatekeeper.adapters.evalsets import bless, read_evalset
from gatekeeper.errors import ConflictError, InputError, NotFoundError, PolicyError, UnknownNameError
from gatekeeper.metrics._answer import Answer
from gatekeeper.metrics._checks import check

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Collected

RECORDS = [
    {"input": "2 + 2?", "target": "4", "id": 0},
    {
        "input": [{"role": "user", "content": "Capital of Norway?"}],
        "target": ["Oslo", "Christiania"],
        "metadata": {"a": 1},
    },
    {"input": "Which one flies?", "choices": ["the stone", "the bird"], "target": "B"},
]


def _import(kind: str, source: Path, *, strict: bool = False, **wanted: Any) -> tuple[Collected, list[dict[str, Any]]]:  # noqa: ANN401
    folder = source.parent / "imported"
    collected = import_evalset(kind, source, folder, licence="MIT", wanted=Wanted(**wanted), strict=strict)
    bless(folder)
    evalset = read_evalset(folder)
    assert (evalset.licence, len(evalset.samples)) == ("MIT", len(collected.samples))
    return collected, collected.samples


def _lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def _right(sample: dict[str, Any], text: str) -> bool:
    return all(check(Answer(text=text), each) for each in sample["expect"])


def test_formats_are_the_files_there_are():
    assert formats() == ("inspect_ai", "openai_evals", "promptfoo")


@pytest.mark.parametrize(
    ("scorer", "options", "right", "wrong"),
    [
        ("includes", {}, "I think it is OSLO, really", "Bergen"),
        ("includes", {"ignore_case": False}, "Oslo", "OSLO"),
        ("match", {}, "The capital is oslo.", "Oslo it is"),
        ("match", {"location": "begin"}, "Oslo it is", "It is Oslo"),
        ("match", {"location": "exact"}, "**Christiania**", "It is Oslo"),
        ("exact", {}, "oslo", "Oslo it is"),
        ("answer", {}, "So:\nANSWER: Oslo\n", "Oslo"),
    ],
)
def test_inspect_scorers_have_a_match(tmp_path: Path, scorer: str, options: dict[str, Any], right: str, wrong: str):
    source = _lines(tmp_path / "data.jsonl", RECORDS[1:2])
    collected, (sample,) = _import("inspect_ai", source, scorer=scorer, options=options)
    assert collected.unmapped == []
    assert _right(sample, right)
    assert not _right(sample, wrong)
    assert sample["metadata"] == {"a": 1}


def test_an_inspect_dataset_keeps_ids_numbers_and_choices(tmp_path: Path):
    source = tmp_path / "data.json"
    source.write_text(json.dumps([RECORDS[0], RECORDS[2]]))
    _, (sums, birds) = _import("inspect_ai", source, scorer="match", options={"numeric": False})
    assert (sums["id"], birds["id"]) == ("0", "data-0002")
    assert "A) the stone\nB) the bird" in birds["input"][-1]["content"]
    numbers, (again,) = import_numbers(tmp_path)
    assert numbers.unmapped == []
    assert _right(again, "2 + 2 = 4")
    assert not _right(again, "4 + 1 = 5")


def import_numbers(tmp_path: Path) -> tuple[Collected, list[dict[str, Any]]]:
    (tmp_path / "again").mkdir()
    source = _lines(tmp_path / "again" / "data.jsonl", RECORDS[:1])
    return _import("inspect_ai", source, scorer="match", options={"numeric": True})


def test_without_a_scorer_every_target_is_listed(tmp_path: Path):
    collected, samples = _import("inspect_ai", _lines(tmp_path / "data.jsonl", RECORDS))
    assert [note.what for note in collected.unmapped] == ["target"] * 3
    assert all("expect" not in sample and sample["metadata"]["unmapped"] for sample in samples)


LOG = {
    "version": 2,
    "status": "success",
    "eval": {
        "scorers": [{"name": "includes", "options": {}}, {"name": "model_graded_qa", "options": {}}],
        "config": {"epochs": 2},
        "model_generate_config": {"max_tokens": 64},
    },
    "plan": {"config": {"temperature": 0.5, "top_p": None}},
}
LOGGED = [
    {
        "id": "a",
        "epoch": epoch,
        "input": "Capital of Norway?",
        "target": "Oslo",
        "sandbox": ["docker", "compose.yaml"],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Capital of Norway?", "source": "input"},
            {"role": "assistant", "content": "Oslo", "source": "generate"},
        ],
        "scores": {"includes": {"value": "C"}},
    }
    for epoch in (1, 2)
]


@pytest.mark.parametrize("form", ["json", "eval"])
def test_an_inspect_log_brings_its_scorers_prompts_and_sampling(tmp_path: Path, form: str):
    source = tmp_path / f"log.{form}"
    if form == "json":
        source.write_text(json.dumps({**LOG, "samples": LOGGED}))
    else:
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("header.json", json.dumps(LOG))
            for logged in LOGGED:
                archive.writestr(f"samples/a_epoch_{logged['epoch']}.json", json.dumps(logged))
    collected, (sample,) = _import("inspect_ai", source)
    assert [message["role"] for message in sample["input"]] == ["system", "user"]
    assert [note.what for note in collected.unmapped] == ["sandbox", "scorer model_graded_qa"]
    assert (collected.sampling, collected.repeats) == ({"max_tokens": 64, "temperature": 0.5}, 2)
    assert _right(sample, "It is Oslo.")


def test_a_log_with_tools_says_that_they_stay_behind(tmp_path: Path):
    source = tmp_path / "log.json"
    steps = [{"solver": "use_tools"}, {"solver": "generate"}]
    source.write_text(json.dumps({"eval": {}, "plan": {"steps": steps}, "samples": RECORDS[:1]}))
    collected, _ = _import("inspect_ai", source, scorer="match")
    assert [note.what for note in collected.unmapped if note.place == "plan"] == ["solver use_tools"]


def test_a_log_packed_in_a_way_that_python_cannot_read_names_the_command(tmp_path: Path):
    source = tmp_path / "log.eval"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("header.json", "{}")
    packed = bytearray(source.read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        packed[packed.index(mark) + place] = 97  # no method that any Python knows
    source.write_bytes(packed)
    with pytest.raises(InputError, match=r"inspect log convert .*--to json"):
        _import("inspect_ai", source)


def test_a_log_without_samples_is_refused(tmp_path: Path):
    source = tmp_path / "log.json"
    source.write_text(json.dumps(LOG))
    with pytest.raises(InputError, match="a log without samples"):
        _import("inspect_ai", source)


REGISTRY = """
sums:
  id: sums.dev.v0
  metrics: [accuracy]
sums.dev.v0:
  class: evals.elsuite.basic.{kind}
  args: {{samples_jsonl: sums/samples.jsonl, num_few_shot: {shots}, max_tokens: 20}}
"""


def _registry(tmp_path: Path, kind: str, ideal: object, shots: int = 0) -> Path:
    (tmp_path / "evals").mkdir()
    (tmp_path / "data" / "sums").mkdir(parents=True)
    _lines(tmp_path / "data" / "sums" / "samples.jsonl", [{"input": "2 + 2?", "ideal": ideal, "level": 1}])
    source = tmp_path / "evals" / "sums.yaml"
    source.write_text(REGISTRY.format(kind=kind, shots=shots))
    return source


@pytest.mark.parametrize(
    ("kind", "ideal", "right", "wrong"),
    [
        ("match:Match", ["4", "four"], "four, I say", "it is 4"),
        ("includes:Includes", "4", "it is 4", "it is five"),
        ("fuzzy_match:FuzzyMatch", "Four", "it is four", "five"),
        ("json_match:JsonMatch", '{"sum": 4}', '{"sum": 4}', '{"sum": 5}'),
    ],
)
def test_openai_classes_have_a_match(tmp_path: Path, kind: str, ideal: object, right: str, wrong: str):
    collected, (sample,) = _import("openai_evals", _registry(tmp_path, kind, ideal))
    assert collected.unmapped == []
    assert collected.sampling == {"max_tokens": 20}
    assert (sample["id"], sample["metadata"]) == ("sums-0001", {"level": 1})
    assert _right(sample, right)
    assert not _right(sample, wrong)


def test_openai_grading_by_a_model_and_examples_are_listed(tmp_path: Path):
    source = _registry(tmp_path, "modelgraded.classify:ModelBasedClassify", "4", shots=3)
    collected, _ = _import("openai_evals", source)
    assert [note.what for note in collected.unmapped] == [
        "num_few_shot: 3",
        "class evals.elsuite.basic.modelgraded.classify:ModelBasedClassify",
    ]


def test_openai_samples_alone_need_a_class(tmp_path: Path):
    source = _lines(tmp_path / "samples.jsonl", [{"input": "2 + 2?", "ideal": "4"}, {"input": "Hm?"}])
    collected, (_, bare) = _import("openai_evals", source, scorer="Includes")
    assert [note.why for note in collected.unmapped] == ["the sample has no ideal answer"]
    assert bare["metadata"]["unmapped"]


def test_openai_names_what_is_not_there(tmp_path: Path):
    source = _registry(tmp_path, "match:Match", "4")
    with pytest.raises(UnknownNameError, match=r"unknown eval 'difference'; known: sums\.dev\.v0"):
        _import("openai_evals", source, name="difference")
    (tmp_path / "data" / "sums" / "samples.jsonl").unlink()
    with pytest.raises(NotFoundError, match=r"samples 'sums/samples\.jsonl' not found"):
        _import("openai_evals", source, name="sums")


PROMPTFOO = """
prompts:
  - "Translate into {{language}}: {{text}}"
  - '[{"role": "system", "content": "Speak {{language}}."}, {"role": "user", "content": "{{text}}"}]'
providers: [openai:gpt]
assertionTemplates:
  short: {type: word-count, value: {max: 3}}
defaultTest:
  assert:
    - {type: not-icontains, value: as an ai}
tests:
  - description: greetings
    vars: {language: [French, Dutch], text: hello}
    assert:
      - {type: icontains-any, value: [bonjour, hallo]}
      - $ref: "#/assertionTemplates/short"
      - {type: llm-rubric, value: is polite}
      - {type: javascript, value: output.length < 9}
      - {type: latency, threshold: 500}
  - vars: {language: JSON, text: "{{ 1 + 1 }}"}
    assert:
      - type: is-json
        value: {type: object}
      - {type: equals, value: {text: hello}}
      - {type: regex, value: "(?=x)y"}
      - {type: not-contains, value: "{{text}} and {{nothing}}"}
  - vars: {language: "{% if a %}x{% endif %}", text: "file://secret.txt"}
"""


def test_promptfoo_makes_a_sample_for_each_prompt_and_value(tmp_path: Path):
    source = tmp_path / "promptfooconfig.yaml"
    source.write_text(PROMPTFOO)
    collected, samples = _import("promptfoo", source)
    assert [sample["id"] for sample in samples] == [
        *("test-0001-v1-p1", "test-0001-v1-p2", "test-0001-v2-p1", "test-0001-v2-p2", "test-0002-p1", "test-0002-p2"),
    ]
    assert samples[0]["input"] == [{"role": "user", "content": "Translate into French: hello"}]
    assert samples[3]["input"][0] == {"role": "system", "content": "Speak Dutch."}
    assert samples[0]["metadata"]["description"] == "greetings"
    assert _right(samples[0], "Bonjour!")
    assert not _right(samples[0], "As an AI: bonjour")
    assert not _right(samples[0], "Bonjour to all of you")
    first = [str(note) for note in collected.unmapped if note.place.startswith("tests[0] with prompts[0]")]
    assert [note.split(": ")[1] for note in first[:3]] == ["llm-rubric", "javascript", "latency"]
    assert "scripts are never run" in first[1]
    assert "latency_ms judges this" in first[2]
    assert samples[4]["response_schema"] == {"type": "object"}
    assert _right(samples[4], '{"text": "hello", "more": 1}')
    second = [note for note in collected.unmapped if note.place.startswith("tests[1] with prompts[0]")]
    assert [note.what for note in second] == ["regex", "not-contains"]
    assert "'nothing' has no value" in second[1].why
    third = [note for note in collected.unmapped if note.place.startswith("tests[2]")]
    assert [note.what for note in third] == ["the whole sample"] * 2


def test_promptfoo_reads_files_of_data_and_runs_none(tmp_path: Path):
    (tmp_path / "prompts.txt").write_text("First {{a}}\n---\nSecond {{a}}\n")
    _lines(tmp_path / "tests.jsonl", [{"vars": {"a": 1}, "assert": [{"type": "contains", "value": "{{a}}"}]}])
    source = tmp_path / "c.yaml"
    source.write_text(
        "prompts: [file://prompts.txt, file://prompt.py]\ntests: [file://tests.jsonl, file://make_tests.js]\n"
        "scenarios: [{config: []}]\n"
    )
    collected, samples = _import("promptfoo", source)
    assert [sample["input"][0]["content"] for sample in samples] == ["First 1", "Second 1"]
    assert [note.place for note in collected.unmapped] == ["scenarios", "prompts[1]", "tests"]


def test_a_transform_hinders_every_assertion_of_its_test(tmp_path: Path):
    source = tmp_path / "c.yaml"
    source.write_text(
        "prompts: [Hi]\ntests:\n  - options: {transform: output.trim()}\n    threshold: 0.5\n"
        "    assert: [{type: contains, value: a}, {type: equals, value: b}]\n"
    )
    collected, (sample,) = _import("promptfoo", source)
    assert "expect" not in sample
    assert len(collected.unmapped) == len(sample["metadata"]["unmapped"]) == 3


def test_strict_writes_nothing_when_something_has_no_match(tmp_path: Path):
    source = _lines(tmp_path / "data.jsonl", RECORDS)
    with pytest.raises(InputError, match="3 things have no match here\nsample 1: target"):
        _import("inspect_ai", source, strict=True)
    assert not (tmp_path / "imported").exists()


def test_an_evalset_that_is_there_is_not_overwritten(tmp_path: Path):
    source = _lines(tmp_path / "data.jsonl", RECORDS)
    _import("inspect_ai", source, scorer="includes")
    with pytest.raises(ConflictError, match="exists; import into a new folder"):
        _import("inspect_ai", source, scorer="includes")


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("inspect_ai", '{"input": "a"}\n{"target": "b"}', "sample 2: found"),
        ("inspect_ai", '{"input": "a"}\nnonsense', "2:1: found a line that is not JSON"),
        ("inspect_ai", "", "found no sample"),
        ("openai_evals", '{"ideal": "a"}', "line 1: found"),
        ("promptfoo", "tests: []", "found no prompts"),
        ("promptfoo", "prompts: [a\nb: {", "not YAML"),
        ("promptfoo", "prompts: ['{{x}}']", "found no sample that can be asked"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, kind: str, text: str, words: str):
    source = tmp_path / "source.jsonl"
    source.write_text(text)
    with pytest.raises((InputError, PolicyError), match=words.replace("(", r"\(")):
        _import(kind, source)


def test_a_source_that_is_not_there_and_an_unknown_format_are_named(tmp_path: Path):
    with pytest.raises(NotFoundError, match="not found"):
        _import("promptfoo", tmp_path / "none.yaml")
    with pytest.raises(NotFoundError, match="not found"):
        _import("inspect_ai", tmp_path / "none.eval")
    with pytest.raises(UnknownNameError, match="known: inspect_ai, openai_evals, promptfoo"):
        _import("ragas", tmp_path / "none.yaml")
