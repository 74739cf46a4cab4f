"""promptfoo's tests as tables, and what its providers bring along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper.adapters.evalset_formats._collected import Wanted
from gatekeeper.adapters.evalset_import import import_evalset
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.adapters.evalset_formats._collected import Collected


def _import(source: Path) -> tuple[Collected, list[dict[str, Any]]]:
    folder = source.parent / "imported"
    collected = import_evalset("promptfoo", source, folder, licence="MIT", wanted=Wanted(), strict=False)
    return collected, collected.samples


TABLE = """q,style,__expected1,__expected2,__prefix,__description,__metadata:field,__threshold
What is 2 + 2?,,equals: 4,"contains-any: four, 4","Answer: ",sum,maths,
Say Oslo,"{""tone"": ""dry""}",Oslo,similar(0.8): a town,,,,0.5
"Say it: twice",,"Note: twice",is-json,,,,
"""


def test_promptfoo_reads_tests_from_a_table(tmp_path: Path):
    (tmp_path / "a_tests.csv").write_text(TABLE)
    source = tmp_path / "c.yaml"
    source.write_text('prompts: ["{{q}} {{style}}"]\ntests: file://*_tests.csv\n')
    collected, samples = _import(source)
    assert [sample["input"][0]["content"] for sample in samples] == [
        *("Answer: What is 2 + 2? ", 'Say Oslo {"tone": "dry"}', "Say it: twice "),
    ]
    assert samples[0]["metadata"] == {"field": "maths", "description": "sum"}
    assert samples[0]["expect"][0] == {"type": "exact", "value": "4"}
    assert samples[0]["expect"][1] == {"type": "contains_any", "value": ["four", "4"]}
    assert samples[1]["expect"] == [{"type": "exact", "value": "Oslo"}]
    assert samples[2]["expect"] == [{"type": "exact", "value": "Note: twice"}]
    assert samples[2]["response_schema"] == {}
    assert [note.what for note in collected.unmapped] == ["threshold: __threshold = 0.5", "similar"]


def test_a_table_without_names_or_with_broken_quotes_is_refused(tmp_path: Path):
    source = tmp_path / "c.yaml"
    source.write_text("prompts: [Hi]\ntests: t.csv\n")
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(InputError, match="found no names of columns"):
        _import(source)
    (tmp_path / "t.csv").write_text('q\n"open')
    with pytest.raises(InputError, match="not a table"):
        _import(source)


def test_promptfoo_providers_give_what_all_agree_on_and_the_rest_is_listed(tmp_path: Path):
    source = tmp_path / "c.yaml"
    (tmp_path / "p.txt").write_text("Hello")
    source.write_text(
        "prompts: [p.txt]\nproviders:\n"
        "  - {id: a, config: {temperature: 0.2, max_tokens: 50, tools: [{type: function}]}}\n"
        "  - {id: b, config: {temperature: 0.2, max_tokens: 60}}\n"
    )
    collected, samples = _import(source)
    assert samples[0]["input"][0]["content"] == "Hello"
    assert collected.sampling == {"temperature": 0.2}
    assert [(note.place, note.what) for note in collected.unmapped] == [("providers[0].config", "tools")]
