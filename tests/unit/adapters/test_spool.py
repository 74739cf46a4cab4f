"""The spool: what was written is read once, in order, whatever was killed in between; what was not is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import orjson
from msgspec import structs

from gatekeeper.adapters.spool import DiskSpool, SpoolReader
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure, Timing
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import pathlib, sys, time
from gatekeeper.adapters.spool import DiskSpool
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange
spool = DiskSpool(pathlib.Path(sys.argv[1]), segment_bytes=20_000)
number = 0
while True:
    spool.put(Exchange(id=str(number), ts=0.0, arm=Arm.BASELINE))
    print(number, flush=True)
    number += 1
    time.sleep(0.001)
"""


def exchange(number: int, **fields: object) -> Exchange:
    plain = {"id": str(number), "ts": 1.0, "arm": Arm.CANDIDATE, **fields}
    return Exchange(**plain)


def drained(directory: Path, *, commit: bool = True) -> list[str]:
    ids = []
    for batch in SpoolReader(directory).batches(7):
        ids += [one.id for one in batch.exchanges]
        if commit:
            batch.commit()
    return ids


def test_what_goes_in_comes_out_equal(tmp_path: Path):
    full = exchange(
        1,
        pair_id="p",
        segment={"tier": "a"},
        request={"messages": []},
        error=Failure(kind="timeout", message="é"),
        timing=Timing(ttft_ms=1.5),
        expect=({"type": "exact", "value": 1},),
    )
    spool = DiskSpool(tmp_path)
    assert spool.put(full)
    spool.close()
    (batch,) = SpoolReader(tmp_path).batches()
    assert batch.exchanges == [full]


def test_uncommitted_batches_come_again_and_committed_ones_never(tmp_path: Path):
    spool = DiskSpool(tmp_path, segment_bytes=2_000)
    for number in range(50):
        spool.put(exchange(number))
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
        spool.put(exchange(number))
        time.sleep(0.005)
        seen += drained(tmp_path)
    spool.close()
    seen += drained(tmp_path)
    assert seen == [str(number) for number in range(20)]
    assert list(tmp_path.iterdir()) == []
    assert spool.counts() == {
        "accepted": 20,
        "written": 20,
        "dropped": 0,
        "dropped_queue_full": 0,
        "dropped_shadow_shed": 0,
        "dropped_disk": 0,
        "dropped_closed": 0,
        "dropped_unwritable": 0,
        "lost_untold": 0,
    }


def test_one_exchange_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path):
    spool = DiskSpool(tmp_path)
    for number, request in enumerate(({}, {"n": object()}, {})):
        spool.put(exchange(number, request=request))
    spool.close()
    assert drained(tmp_path) == ["0", "2"]
    assert spool.counts()["dropped_unwritable"] == 1


def test_a_torn_last_line_and_a_broken_one_are_left_out(tmp_path: Path):
    good = orjson.dumps(to_dict(exchange(1)))
    (tmp_path / "a-00000001.jsonl").write_bytes(good + b"\nnot json\n[]\n" + good[:20])
    assert drained(tmp_path) == ["1"]
    assert list(tmp_path.iterdir()) == []


def test_a_full_queue_sheds_copies_first_and_counts(tmp_path: Path):
    spool = DiskSpool(tmp_path, queue_items=0)
    assert not spool.put(exchange(1))
    spool.close()
    assert not spool.put(exchange(2))
    tight = DiskSpool(tmp_path, queue_items=1, directory_bytes=0)
    time.sleep(0.01)
    tight.put(exchange(3, pair_id="p"))
    tight.close()
    assert spool.counts()["dropped_queue_full"] == 1
    assert spool.counts()["dropped_closed"] == 1
    assert tight.counts()["dropped_disk"] == 1
    assert "wait to be read" in tight.failure


def told(directory: Path) -> list[tuple[str, int, int]]:
    exchanges = [one for batch in SpoolReader(directory).batches() for one in batch.exchanges]
    return [(one.arm.value, one.stage, one.lost) for one in exchanges if one.lost]


def test_what_was_lost_of_a_stage_is_told_with_what_comes_next(tmp_path: Path):
    spool = DiskSpool(tmp_path, queue_items=1)
    place = exchange(1, rollout_id="r", stage=2, epoch=1).place
    spool.lose(place)
    spool.lose(structs.replace(place, stage=-1))
    spool.lose(structs.replace(place, rollout_id=""))
    assert spool.counts()["lost_untold"] in (0, 1)
    assert spool.put(exchange(2, request={"n": "\ud800"}, rollout_id="r", stage=2, epoch=1))
    spool.close()
    assert sum(lost for _, _, lost in told(tmp_path)) == 2
    assert {(arm, stage) for arm, stage, _ in told(tmp_path)} == {("candidate", 2)}
    assert spool.counts()["lost_untold"] == 0


def test_what_a_full_disk_took_is_told_when_there_is_room_again(tmp_path: Path):
    spool = DiskSpool(tmp_path, segment_bytes=1, directory_bytes=1)
    until = time.monotonic() + 10
    for number in range(3):
        spool.put(exchange(number, rollout_id="r", stage=0))
        while sum(spool.counts()[name] for name in ("written", "dropped_disk")) <= number and time.monotonic() < until:
            time.sleep(0.002)
    assert spool.counts()["lost_untold"] == 2
    assert drained(tmp_path)[0] == "0"
    spool.put(exchange(4, rollout_id="r", stage=0))
    spool.close()
    assert told(tmp_path) == [("candidate", 0, 2)]
    assert spool.counts()["dropped"] == 2


def test_a_killed_process_leaves_what_it_was_given_but_for_milliseconds(tmp_path: Path):
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
    assert given + 1 - len(kept) <= 20
    assert list(tmp_path.iterdir()) == []
