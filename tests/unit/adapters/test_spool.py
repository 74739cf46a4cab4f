"""The spool: what was written is read once, in order, whatever was killed in between; what was not is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from gatekeeper.adapters._marks import Marks
from gatekeeper.adapters.spool import DiskSpool, SpoolReader
from gatekeeper.captures.frames import frames_of
from gatekeeper.captures.raw import RawExchange
from gatekeeper.captures.tap import evidence
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Failure

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import pathlib, sys, time
from gatekeeper.adapters.spool import DiskSpool
from gatekeeper.captures.raw import RawExchange
from gatekeeper.model.arm import Arm
spool = DiskSpool(pathlib.Path(sys.argv[1]), segment_bytes=20_000)
number = 0
while True:
    spool.put([RawExchange(str(number), 0.0, Arm.BASELINE, "", "", -1, 0)])
    print(number, flush=True)
    number += 1
"""


def raw(number: int, **fields: object) -> RawExchange:
    return RawExchange(
        **{
            "id": str(number),
            "ts": 1.0,
            "arm": Arm.CANDIDATE,
            "service": "",
            "rollout_id": "",
            "stage": -1,
            "epoch": 0,
            **fields,
        }
    )


def drained(directory: Path, *, commit: bool = True) -> list[str]:
    ids = []
    for batch in SpoolReader(directory).batches(7):
        ids += [one.id for one in batch.exchanges]
        assert batch.count == len(batch.frames)
        if commit:
            batch.commit()
    return ids


def test_what_goes_in_comes_out_equal(tmp_path: Path):
    full = raw(
        1,
        pair_id="p",
        segment={"tier": "a"},
        request=b'{"messages": []}',
        failure=Failure(kind="timeout", message="é"),
        expect=({"type": "exact", "value": 1},),
    )
    spool = DiskSpool(tmp_path)
    spool.put([full])
    spool.close()
    (batch,) = SpoolReader(tmp_path).batches()
    assert batch.data == frames_of([full])
    assert batch.exchanges == [evidence(full)]


def test_uncommitted_batches_come_again_and_committed_ones_never(tmp_path: Path):
    spool = DiskSpool(tmp_path, segment_bytes=2_000)
    for number in range(50):
        spool.put([raw(number)])
    spool.close()
    assert drained(tmp_path, commit=False) == [str(number) for number in range(50)]
    reader = SpoolReader(tmp_path)
    first = next(reader.batches(3))
    first.commit()
    assert drained(tmp_path) == [str(number) for number in range(3, 50)]
    assert drained(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_growing_segment_is_read_as_it_grows_and_kept(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    seen = []
    for number in range(20):
        spool.put([raw(number)])
        if number % 3:
            seen += drained(tmp_path)
    spool.close()
    seen += drained(tmp_path)
    assert seen == [str(number) for number in range(20)]
    assert list(tmp_path.iterdir()) == []
    assert spool.counts() == {
        "accepted": 20,
        "written": 20,
        "dropped": 0,
        "dropped_disk": 0,
        "dropped_closed": 0,
        "dropped_unwritable": 0,
        "lost_untold": 0,
    }


def test_a_capture_larger_than_a_read_is_read_whole(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    large = raw(1, request=b"x" * (9 << 20))
    spool.put([raw(0), large, raw(2)])
    spool.close()
    assert [batch.count for batch in SpoolReader(tmp_path).batches()] == [1, 1, 1]
    assert drained(tmp_path) == ["0", "1", "2"]


def test_one_capture_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    spool.put([raw(number, expect=({"n": number * 2**70},)) for number in (0, 1)])
    spool.put([raw(2)])
    spool.close()
    assert drained(tmp_path) == ["0", "2"]
    assert spool.counts()["dropped_unwritable"] == 1


def test_a_torn_last_frame_and_a_broken_one_are_left_out(tmp_path: Path):
    good = frames_of([raw(1)])
    (tmp_path / "a-00000001.captures").write_bytes(good + b"\0\0\0\4junk" + good[:20])
    assert drained(tmp_path) == ["1"]
    assert list(tmp_path.iterdir()) == []


def test_what_comes_after_the_end_or_finds_no_room_is_counted(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    spool.close()
    spool.put([raw(2)])
    assert spool.counts()["dropped_closed"] == 1
    tight = DiskSpool(tmp_path, directory_bytes=0)
    tight.put([raw(3, pair_id="p")])
    assert tight.counts()["dropped_disk"] == 1
    assert "wait to be read" in tight.failure


def told(directory: Path) -> list[tuple[str, int, int]]:
    exchanges = [one for batch in SpoolReader(directory).batches() for one in batch.exchanges]
    return [(one.arm.value, one.stage, one.lost) for one in exchanges if one.lost]


def test_what_was_lost_of_a_stage_is_told_with_what_comes_next(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    place = raw(1, rollout_id="r", stage=2, epoch=1).place
    spool.lose(place)
    spool.lose(structs.replace(place, stage=-1))
    spool.lose(structs.replace(place, rollout_id=""))
    assert spool.counts()["lost_untold"] == 1
    spool.put([])
    assert spool.counts()["lost_untold"] == 0
    spool.put([raw(2, expect=({"n": 2**70},), rollout_id="r", stage=2, epoch=1)])
    spool.close()
    assert told(tmp_path) == [("candidate", 2, 1), ("candidate", 2, 1)]
    assert spool.counts()["lost_untold"] == 0


def test_what_a_full_disk_took_is_told_when_there_is_room_again(tmp_path: Path):
    spool = DiskSpool(tmp_path, segment_bytes=1, directory_bytes=1)
    for number in range(3):
        spool.put([raw(number, rollout_id="r", stage=0)])
    assert spool.counts()["lost_untold"] == 2
    assert drained(tmp_path)[0] == "0"
    spool.put([raw(4, rollout_id="r", stage=0)])
    spool.close()
    assert told(tmp_path) == [("candidate", 0, 2)]
    assert spool.counts()["dropped"] == 2


def test_a_killed_process_leaves_what_it_had_put(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        given = -1
        for line in writer.stdout:
            given = int(line)
            if given >= 300:
                break
        os.kill(writer.pid, signal.SIGKILL)
        given = max([given, *(int(line) for line in writer.stdout)])
    kept = drained(tmp_path)
    assert kept == [str(number) for number in range(len(kept))]
    assert len(kept) >= given + 1
    assert [left for left in tmp_path.iterdir() if left.suffix != ".opening"] == []


def test_what_a_writer_killed_while_it_opened_a_segment_left_is_deleted_when_it_is_old(tmp_path: Path):
    fresh, old = tmp_path / "a-00000001.opening", tmp_path / "b-00000001.opening"
    fresh.touch()
    old.touch()
    os.utime(old, (time.time() - 61, time.time() - 61))
    assert drained(tmp_path) == []
    assert list(tmp_path.iterdir()) == [fresh]


def test_a_segment_that_cannot_be_named_takes_nothing_and_the_next_one_does(tmp_path: Path):
    spool = DiskSpool(tmp_path, boot="a")
    in_the_way = tmp_path / "a-00000001.captures"
    in_the_way.mkdir()
    spool.put([raw(0)])
    in_the_way.rmdir()
    spool.put([raw(1)])
    spool.close()
    assert spool.counts() | {"accepted": 2, "dropped_disk": 1} == spool.counts()
    assert drained(tmp_path)[0] == "1"


def test_a_reader_that_is_told_where_writes_ended_reads_the_same(tmp_path: Path):
    spool = DiskSpool(tmp_path, segment_bytes=2_000)
    told, alone = SpoolReader(tmp_path, spool.marks), SpoolReader(tmp_path)
    numbers = iter(range(1_000))
    for writes in ([1, 2, 3], [9], [1] * 30, []):
        for size in writes:
            spool.put([raw(next(numbers)) for _ in range(size)])
        parts = [[one.id for one in batch.exchanges] for batch in told.batches(7)]
        assert list(chain(*parts)) == [one.id for batch in alone.batches(7) for one in batch.exchanges]
        assert max(map(len, parts), default=0) <= 7
        for batch in told.batches(7):
            assert batch.count == len(batch.frames)
            batch.commit()
    spool.close()


def test_marks_tell_whole_writes_and_forget_what_was_passed(tmp_path: Path):
    marks, segment, next_one = Marks(), tmp_path / "a-1.captures", tmp_path / "a-2.captures"
    for start, end, count in ((0, 10, 1), (10, 30, 2), (30, 40, 3)):
        marks.note(segment, start, end, count)
    marks.note(next_one, 0, 5, 1)
    assert marks.take(segment, 5, 9) is None
    assert marks.take(segment, 10, 4) == (2, 30)
    assert marks.take(segment, 30, 2) is None
    assert marks.take(segment, 30, 9) == (3, 40)
    assert marks.take(segment, 40, 9) is None
    marks.note(next_one, 5, 6 << 20, 1)
    assert marks.take(next_one, 0, 9) == (1, 5)
    assert marks.take(next_one, 5, 9) == (1, 6 << 20)
    marks.note(next_one, 6 << 20, 60 << 20, 1)
    assert marks.take(next_one, 6 << 20, 9) is None
