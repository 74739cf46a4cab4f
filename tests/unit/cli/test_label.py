"""`gatekeeper label`: drawn by lot, asked blindly or filled in, and shown."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gatekeeper import analyze
from gatekeeper.cli._render_junit import junit
from gatekeeper.cli._render_markdown import markdown
from gatekeeper.cli._render_text import text
from gatekeeper.flow.label import draw, place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gatekeeper.model.finding import Report

NO = "I'm sorry, but I can't help with that."
YES = "Sure: boil the egg for seven minutes.\x1b[31m"
PAIRS = 40


def _gatekeeper(*args: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatekeeper", *args]
    return subprocess.run(command, input=given, capture_output=True, check=False, text=True)


@pytest.fixture
def exchanges(tmp_path: Path) -> Path:
    """Give 40 pairs, of which the candidate alone declines 10 and both arms 5."""
    path = tmp_path / "exchanges.jsonl"
    lines = []
    for number in range(PAIRS):
        for arm in ("baseline", "candidate"):
            declines = number < 5 or (number < 15 and arm == "candidate")
            message = {"role": "assistant", "content": NO if declines else YES}
            line: dict[str, Any] = {"id": f"{arm}{number}", "ts": number, "arm": arm, "pair_id": f"p{number}"}
            line["request"] = {"messages": [{"role": "user", "content": f"How do I boil egg {number}?"}]}
            line["response"] = {"choices": [{"message": message, "finish_reason": "stop"}]}
            lines.append(json.dumps(line))
    path.write_text("\n".join(lines))
    return path


def test_a_draw_is_by_lot_the_same_again_and_holds_what_was_asked():
    pairs = {f"p{number}": (number < 5, number < 15) for number in range(PAIRS)}
    drawn = draw(pairs, discordant=6, agreeing=8, seed=1)
    assert drawn == draw(dict(reversed(pairs.items())), discordant=6, agreeing=8, seed=1)
    assert drawn == sorted(drawn, key=lambda pair: place(pair, 1))
    assert drawn != draw(pairs, discordant=6, agreeing=8, seed=2)
    kinds = [pairs[pair] for pair in drawn]
    assert (kinds.count((False, True)), kinds.count((True, True)), kinds.count((False, False))) == (6, 4, 4)
    many = [pairs[pair] for pair in draw(pairs, discordant=99, agreeing=99, seed=1)]
    assert len(many) == PAIRS
    few = [pairs[pair] for pair in draw(pairs, discordant=0, agreeing=20, seed=1)]
    assert (few.count((True, True)), few.count((False, False))) == (5, 15)


def test_drawn_filled_in_added_and_shown(exchanges: Path, tmp_path: Path):
    todo, labels, samples = (tmp_path / name for name in ("todo.jsonl", "labels.jsonl", "samples.jsonl"))
    drew = _gatekeeper("label", "draw", str(exchanges), "-o", str(todo), "--discordant", "10", "--agreeing", "0")
    assert drew.returncode == 0, drew.stderr
    lines = [json.loads(line) for line in todo.read_text().splitlines()]
    assert len(lines) == 10
    assert {line["candidate_answer"] for line in lines} == {NO}
    for line in lines[:-1]:
        line["baseline"] = line["candidate"] = False
    todo.write_text("\n".join(json.dumps(line) for line in lines))
    added = _gatekeeper("label", "add", str(todo), "--labels", str(labels), "--by", "ann")
    assert "9 labels added; 1 pairs are still open" in added.stderr
    assert json.loads(labels.read_text().splitlines()[0])["by"] == "ann"
    assert _gatekeeper("score", str(exchanges), "-o", str(samples)).returncode == 0
    shown = _gatekeeper("label", "show", str(samples), "--labels", str(labels))
    assert "difference  +25.00 pp   +0.00 pp" in shown.stdout, shown.stderr
    plain = _gatekeeper("label", "show", str(samples), "--labels", str(labels), "--format", "json")
    (found,) = json.loads(plain.stdout)["corrections"]
    assert found["candidate"]["raw"] == 0.375
    assert found["candidate"]["value"] == 0.125


def test_a_person_is_asked_blindly_keeps_every_answer_and_goes_on_later(exchanges: Path, tmp_path: Path):
    labels = tmp_path / "labels.jsonl"
    asking = ("label", "ask", str(exchanges), "--labels", str(labels), "--discordant", "4", "--agreeing", "2")
    first = _gatekeeper(*asking, given="y\nwhat\nn\ns\ny\ny\nq\n")
    assert first.returncode == 0, first.stderr
    kept = [json.loads(line) for line in labels.read_text().splitlines()]
    assert len(kept) == 2
    assert sorted((kept[0]["baseline"], kept[0]["candidate"])) == [False, True]
    assert (kept[1]["baseline"], kept[1]["candidate"]) == (True, True)
    assert "pair 1 of 6" in first.stderr
    assert not any(word in first.stderr for word in ("baseline", "candidate", "\x1b"))
    second = _gatekeeper(*asking, given="q\n")
    assert "pair 1 of 4" in second.stderr
    assert kept[0]["pair_id"] not in second.stderr


def test_a_person_may_go_back(exchanges: Path, tmp_path: Path):
    labels = tmp_path / "labels.jsonl"
    asking = ("label", "ask", str(exchanges), "--labels", str(labels), "--discordant", "4", "--agreeing", "0")
    asked = _gatekeeper(*asking, given="y\nb\nn\nn\nb\ny\ny\nq\n")
    kept = [json.loads(line) for line in labels.read_text().splitlines()]
    assert [(label["baseline"], label["candidate"]) for label in kept] == [(False, False), (True, True)]
    assert kept[0]["pair_id"] == kept[1]["pair_id"]
    assert "1 pairs labelled now, 3 of 4 left" in asked.stderr


@pytest.mark.parametrize("form", [junit, markdown, text])
def test_every_form_of_a_report_shows_both_rates(exchanges: Path, form: Callable[[Report], str]):
    labels = exchanges.with_name("labels.jsonl")
    lines = [
        {"pair_id": f"p{number}", "metric": "refusal_rate", "baseline": False, "candidate": False}
        for number in range(5, 15)
    ]
    labels.write_text("\n".join(map(json.dumps, lines)))
    samples = [
        {"request_id": f"{arm}{number}", "ts": number, "arm": arm, "pair_id": f"p{number}", "refused": number < most}
        for number in range(PAIRS)
        for arm, most in (("baseline", 5), ("candidate", 15))
    ]
    shown = form(analyze(samples, {"metrics": {"refusal_rate": {"max_increase": "5pp"}}}, labels=labels))
    assert "+25.00 pp" in shown
    assert "+0.00 pp" in shown
    assert "corrected by labels of 10 of 40 pairs" in shown


def test_what_cannot_be_labelled_is_told(exchanges: Path, tmp_path: Path):
    out = str(tmp_path / "out.jsonl")
    unknown = _gatekeeper("label", "draw", str(exchanges), "-o", out, "--metric", "cost_usd")
    assert unknown.returncode == 2
    assert "unknown metric with a detector 'cost_usd'; known: degeneration_rate" in unknown.stderr
    exchanges.write_text('{"id": "1", "ts": 1, "arm": "baseline"}\n')
    alone = _gatekeeper("label", "draw", str(exchanges), "-o", out)
    assert (alone.returncode, "no pair that both arms answered" in alone.stderr) == (2, True)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"pair_id": "p1", "metric": "refusal_rate", "baseline": "yes"}\n')
    refused = _gatekeeper("label", "add", str(bad), "--labels", out)
    assert (refused.returncode, f"{bad}:1:" in refused.stderr) == (2, True)
