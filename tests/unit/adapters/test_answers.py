"""Answers on disk: what a journal has after any end of its run, and what a record must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.answers import DONE, OUTAGE, Journal, read_record, to_line
from gatekeeper.errors import NotFoundError, PolicyError
from gatekeeper.model.answer import Answer
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure, Timing

if TYPE_CHECKING:
    from pathlib import Path


def _answer(sample: str, *, failed: bool = False) -> Answer:
    exchange = Exchange(
        id=f"1-{sample}",
        ts=5.0,
        arm=Arm.BASELINE,
        pair_id=sample,
        request={"messages": []},
        response=None if failed else {"choices": []},
        error=Failure(kind="timeout", message="slow") if failed else None,
        timing=Timing(ttft_ms=3.0),
    )
    return Answer(exchange=exchange, evalset="e" * 64, sample=sample, repeat=0, asked="a" * 64)


def test_a_journal_gives_back_what_was_added(tmp_path: Path):
    path = tmp_path / "deep" / "journal.jsonl"
    with Journal(path) as journal:
        assert journal.kept.answers == ()
        journal.add(_answer("s1"))
        journal.add(_answer("s2", failed=True))
    with Journal(path) as journal:
        assert journal.kept.answers == (_answer("s1"), _answer("s2", failed=True))
        assert not journal.kept.done
        journal.mark(DONE)
    with Journal(path) as journal:
        assert journal.kept.done
        journal.restart()
    with Journal(path) as journal:
        assert journal.kept.answers == ()
        assert not journal.kept.done
        journal.forget()
    assert not path.exists()


def test_a_line_is_in_the_file_as_soon_as_it_is_added(tmp_path: Path):
    with Journal(tmp_path / "j") as journal:
        journal.add(_answer("s1"))
        assert (tmp_path / "j").read_bytes() == to_line(_answer("s1"))


@pytest.mark.parametrize("torn", [b'{"id": "2-s2", "ts"', b"\x00\x00\x00"])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, torn: bytes):
    path = tmp_path / "j"
    path.write_bytes(to_line(_answer("s1")) + torn)
    with Journal(path) as journal:
        assert journal.kept.answers == (_answer("s1"),)
        journal.add(_answer("s2"))
    with Journal(path) as journal:
        assert [answer.sample for answer in journal.kept.answers] == ["s1", "s2"]


def test_after_an_outage_what_failed_is_to_be_asked_again(tmp_path: Path):
    path = tmp_path / "j"
    with Journal(path) as journal:
        journal.add(_answer("s1", failed=True))
        journal.add(_answer("s2"))
        journal.mark(OUTAGE)
        journal.add(_answer("s3", failed=True))
    with Journal(path) as journal:
        assert [answer.sample for answer in journal.kept.answers] == ["s2", "s3"]


def test_a_journal_serves_one_run_at_a_time(tmp_path: Path):
    with Journal(tmp_path / "j") as first, Journal(tmp_path / "j") as second:
        assert (first.held, second.held) == (True, False)
        second.add(_answer("s1"))
        second.forget()
        second.restart()
        first.add(_answer("s2"))
    assert (tmp_path / "j").read_bytes() == to_line(_answer("s2"))


def test_a_record_is_read_back_and_its_faults_are_told_with_their_lines(tmp_path: Path):
    path = tmp_path / "record.jsonl"
    path.write_bytes(to_line(_answer("s1")) + b"\n" + to_line(_answer("s2", failed=True)))
    assert read_record(path) == [_answer("s1"), _answer("s2", failed=True)]
    path.write_bytes(to_line(_answer("s1")) + b"nonsense\n[]\n" + b'{"id": "x", "ts": 1, "arm": "baseline"}\n')
    with pytest.raises(PolicyError) as told:
        read_record(path)
    assert [fault.line for fault in told.value.faults] == [2, 3, 4]
    with pytest.raises(NotFoundError, match="--record"):
        read_record(tmp_path / "none")
