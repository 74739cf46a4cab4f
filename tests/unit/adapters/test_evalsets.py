"""Evalsets on disk, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekeeper.adapters.evalsets import bless, check_evalset, read_evalset
from gatekeeper.demo.evalset_build import build
from gatekeeper.demo.tasks import held_out
from gatekeeper.errors import NotFoundError, PolicyError

SHIPPED = Path(__file__).parents[3] / "evalsets"
MANIFEST = "format: 1\nlicence: MIT\nsource: by hand\nmin_samples: 2\nrepeats: 3\nsampling: {temperature: 0}\n"
TOOLS = [{"type": "function", "function": {"name": "search"}}]
SAMPLES = (
    {"id": "a", "input": [{"role": "user", "content": "2 + 2?"}], "expect": [{"type": "exact", "value": "4"}]},
    {"id": "b", "input": [{"role": "user", "content": "Oslo?"}], "segment": {"task": "city"}, "target": "Norway"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.yaml").write_text(f"# kept\n{MANIFEST}")
    (folder / "samples.jsonl").write_text("".join(f"{json.dumps(sample)}\n" for sample in SAMPLES))
    return folder


def _faults(folder: Path) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        read_evalset(folder)
    return [str(fault).removeprefix(f"{folder}/") for fault in raised.value.faults]


def test_a_blessed_evalset_is_read(folder: Path):
    digest = bless(folder)
    evalset = read_evalset(folder)
    assert (evalset.name, evalset.digest, evalset.repeats) == ("mine", digest, 3)
    assert evalset.sampling == {"temperature": 0}
    assert [sample.id for sample in evalset.samples] == ["a", "b"]
    assert evalset.samples[0].expect == ({"type": "exact", "value": "4"},)
    assert (folder / "manifest.yaml").read_text() == f'# kept\n{MANIFEST}sha256: "{digest}"\n'


def test_an_unblessed_change_is_refused(folder: Path):
    bless(folder)
    (folder / "samples.jsonl").write_text((folder / "samples.jsonl").read_text().replace("2 + 2", "2 + 3"))
    (fault,) = _faults(folder)
    assert "digest" in fault
    assert f"gatekeeper evalset bless {folder}" in fault


def test_what_was_never_blessed_is_refused(folder: Path):
    (fault,) = _faults(folder)
    assert "expected a digest here" in fault


def test_the_digest_is_of_what_is_said_not_of_how(folder: Path):
    digest = bless(folder)
    spelled = [json.dumps(dict(reversed(sample.items())), indent=None, separators=(" , ", " : ")) for sample in SAMPLES]
    (folder / "samples.jsonl").write_text("\n\n".join(spelled))
    assert bless(folder) == digest
    (folder / "samples.jsonl").write_text("\n".join(reversed(spelled)))
    assert bless(folder) != digest


def test_every_fault_comes_at_once_with_its_line(folder: Path):
    (folder / "manifest.yaml").write_text(f"{MANIFEST}metrics: [refusal_rate, beauty]\nsha256: xyz\ncolour: red\n")
    broken = [
        json.dumps(SAMPLES[0]),
        "{nonsense",
        json.dumps(SAMPLES[0]),
        json.dumps({"id": "c"}),
        json.dumps({"id": "d", "input": [], "expect": [{"type": "exact", "value": 1}]}),
        json.dumps({"id": "e", "input": [{"role": "user"}], "expect": [{"type": "telepathy", "value": 1}]}),
        json.dumps({"id": "f", "input": [{"role": "user"}], "expect": [{"type": "regex", "value": "(?=a)b"}]}),
    ]
    (folder / "samples.jsonl").write_text("\n".join(broken))
    faults = _faults(folder)
    assert [fault.partition(" ")[0] for fault in faults] == [
        "manifest.yaml:1:1:",
        "manifest.yaml:7:25:",
        "manifest.yaml:8:9:",
        "samples.jsonl:2:2:",
        "samples.jsonl:3:8:",
        "samples.jsonl:4:1:",
        f"samples.jsonl:5:{broken[4].index('[]') + 1}:",
        *(f"samples.jsonl:{line}:{broken[line - 1].index('[{', 30) + 2}:" for line in (6, 7)),
    ]
    assert "'a' a second time (first on line 1)" in faults[4]
    assert "unknown type 'telepathy'; known: case, choice," in faults[7]
    assert "cannot be checked as 'regex'" in faults[8]


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (
            {"response_schema": {"$ref": "https://example.com/x.json"}},
            "response_schema: found a schema that cannot be used",
        ),
        ({"expect": [{"type": "tool_call", "value": {"name": "book"}}]}, "expect[0].value: wants the tool 'book'"),
        ({"expect": [{"type": "tool_calls", "value": [{"name": "book"}]}], "tools": TOOLS}, "offered: search"),
    ],
)
def test_what_nothing_could_check_is_a_fault(folder: Path, sample: dict[str, object], words: str):
    line = json.dumps({"id": "c", "input": [{"role": "user", "content": "Go"}], **sample})
    with (folder / "samples.jsonl").open("a") as file:
        file.write(line)
    (fault,) = _faults(folder)
    assert fault.startswith("samples.jsonl:3:")
    assert words in fault


def test_a_metric_that_no_sample_can_speak_about_is_a_fault(folder: Path):
    (folder / "manifest.yaml").write_text(f"{MANIFEST}metrics: [task_success, json_validity]\n")
    (fault,) = _faults(folder)
    assert fault.startswith(
        "manifest.yaml:7:25: metrics[1]: found 'json_validity', but no sample has a response_schema"
    )


def test_prompts_alike_are_told_or_refused(folder: Path):
    again = {"id": "c", "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "13  +  7?"}]}
    with (folder / "samples.jsonl").open("a") as file:
        file.write(json.dumps(again))
    bless(folder)
    _, near = check_evalset(folder)
    assert [(pair.earlier, pair.later, pair.share) for pair in near] == [(0, 2, 1.0)]
    manifest = folder / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "max_similarity: 0.9\n")
    assert read_evalset(folder).max_similarity == 0.9
    for refused in (check_evalset, bless):
        with pytest.raises(PolicyError, match=r"samples\.jsonl:3:22: shares 1\.00 of its prompt with 'a' on line 1"):
            refused(folder)


def test_samples_without_a_users_words_are_not_alike_for_that(folder: Path):
    told = [{"id": name, "input": [{"role": "system", "content": f"Say {name}."}]} for name in ("night", "morning")]
    (folder / "samples.jsonl").write_text("\n".join(map(json.dumps, told)))
    bless(folder)
    assert check_evalset(folder)[1] == []


def test_a_separator_inside_a_text_ends_no_line(folder: Path):
    told = {"id": "c", "input": [{"role": "user", "content": "one\u2028two"}]}
    with (folder / "samples.jsonl").open("a") as file:
        file.write(json.dumps(told, ensure_ascii=False))
    bless(folder)
    assert read_evalset(folder).samples[2].input[0]["content"] == "one\u2028two"


def test_too_few_samples_are_a_fault(folder: Path):
    (folder / "samples.jsonl").write_text(json.dumps(SAMPLES[0]))
    (fault,) = _faults(folder)
    assert fault == "manifest.yaml:5:14: min_samples: found 1 samples, expected at least 2"


def test_an_empty_evalset_is_a_fault(folder: Path):
    (folder / "samples.jsonl").write_text("\n")
    assert "found no sample" in _faults(folder)[0]


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"samples\.jsonl: not found"):
        read_evalset(tmp_path)


@pytest.mark.parametrize("shipped", sorted(SHIPPED.iterdir()), ids=lambda path: path.name)
def test_what_is_shipped_is_whole(shipped: Path):
    evalset = read_evalset(shipped)
    assert len(evalset.samples) >= 150
    assert evalset.licence
    assert len({json.dumps(sample.input) for sample in evalset.samples}) == len(evalset.samples)


def test_the_demos_evalset_is_what_its_builder_makes_and_was_held_out(tmp_path: Path):
    shipped = read_evalset(SHIPPED / "demo-chat")
    assert build(tmp_path / "demo-chat") == shipped.digest
    assert all(held_out(sample.input[0]["content"]) for sample in shipped.samples)
