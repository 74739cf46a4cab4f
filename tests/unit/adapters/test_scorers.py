"""Users' own scorers: what they return, and what becomes of one that fails, hangs or dies."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.scorers import GIVE_UP, OwnScorers
from gatekeeper.errors import InputError
from gatekeeper.flow.score import scored
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure
from gatekeeper.model.metric import Score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, str], Path]

ANSWER = {"choices": [{"message": {"content": "four"}, "finish_reason": "stop"}]}
EXCHANGE = Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response=ANSWER)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, body: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(body))
        return path

    return made


def test_numbers_booleans_and_reasons_become_extra_metrics(write: Write):
    length = write(
        "length", "def score(exchange): return len(exchange['response']['choices'][0]['message']['content'])"
    )
    polite = write("polite", "print('loading')\ndef score(exchange): print('hm'); return False, 'no greeting'")
    absent = write("absent", "def score(exchange): return None, 'no ticket'")
    with OwnScorers([length, polite, absent]) as own:
        sample, labels = scored(EXCHANGE, own)
        again, _ = scored(EXCHANGE, own)
    assert (sample.extra["length"], sample.extra["polite"]) == (4, False)
    assert "absent" not in sample.extra
    assert labels["own"] == {"extra.polite": "no greeting"}
    assert labels["unscored"]["extra.absent"] == "no ticket"
    assert again == sample


def test_errors_and_wrong_values_are_none_with_a_reason_that_quotes_no_answer(write: Write):
    broken = write("broken", "def score(exchange):\n    raise ValueError(exchange['response'])")
    words = write("words", "def score(exchange): return 'good'")
    infinite = write("infinite", "def score(exchange): return float('inf')")
    with OwnScorers([broken, words, infinite]) as own:
        found = own.score(EXCHANGE)
    assert found["broken"] == Score(None, "ValueError at broken.py:2")
    assert found["words"].reason == "it returned a str; expected a number, a boolean or None"
    assert found["infinite"].reason == "it returned inf; expected a finite number"


def test_one_that_hangs_or_dies_costs_its_own_value_and_is_given_up(write: Write):
    hangs = write("hangs", "def score(exchange):\n    while True: pass")
    dies = write("dies", "import os\ndef score(exchange): os._exit(3)")
    good = write("good", "def score(exchange): return 1.5")
    with OwnScorers([hangs, dies, good], timeout_s=0.5) as own:
        found = [own.score(EXCHANGE) for _ in range(GIVE_UP + 1)]
    assert [one["good"].value for one in found] == [1.5] * (GIVE_UP + 1)
    assert found[0]["hangs"] == Score(None, "it took longer than 0.5 s")
    assert found[0]["dies"] == Score(None, "its process died")
    assert found[-1]["hangs"] == found[-1]["dies"] == Score(None, "given up after 3 failures in a row")


def test_what_cannot_be_a_scorer_is_refused(write: Write, tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        OwnScorers([tmp_path / "none.py"])
    for name, why in (("log_length", "built-in"), ("a b", "letters, digits")):
        with OwnScorers([write(name, "def score(exchange): return 1")]) as own, pytest.raises(InputError, match=why):
            own.score(EXCHANGE)
    twice = write("twice", "def score(exchange): return 1")
    with OwnScorers([twice, twice]) as own, pytest.raises(InputError, match="two of this name"):
        own.score(EXCHANGE)
    for body, why in (("def other(): pass", "AttributeError"), ("import no_such_module", "ModuleNotFoundError")):
        with OwnScorers([write("odd", body)]) as own, pytest.raises(InputError, match=rf"odd\.py: {why}"):
            own.score(EXCHANGE)


def test_an_installed_package_offers_its_scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    offered = "[gatekeeper.scorers]\nacme_tone = acme_scorers:tone\nacme_gone = acme_missing\n"
    (info / "entry_points.txt").write_text(offered)
    (tmp_path / "acme_scorers.py").write_text("def tone(exchange): return 0.25\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ":".join(part for part in sys.path if part))
    with OwnScorers() as own:
        found = own.score(EXCHANGE)
    assert found["acme_tone"].value == 0.25
    assert found["acme_gone"].value is None
    assert found["acme_gone"].reason.startswith("it cannot be imported: ModuleNotFoundError")


def test_a_failed_exchange_is_not_scored(write: Write):
    failed = Exchange(id="x", ts=1.0, arm=Arm.BASELINE, error=Failure(kind="timeout"))
    with OwnScorers([write("any", "def score(exchange): return 1")]) as own:
        assert scored(failed, own)[0].extra == {}
