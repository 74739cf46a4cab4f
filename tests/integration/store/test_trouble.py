"""A database that is away, locked, full of rivals or killed: said in words, and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.decide.chain import verify
from gatekeeper.errors import ConflictError, InputError, StoreError
from gatekeeper.model.action import OutboxItem
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.rollout import Rollout, RolloutState
from gatekeeper.model.split import Endpoint, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPLIT = Split(service="chat", epoch=1, version=0, baseline=Endpoint(url="http://b", model="m"))
ROLLOUT = Rollout(
    id="r",
    service="chat",
    policy_name="p",
    policy_digest="d",
    policy_text="t",
    baseline_id="b",
    candidate_id="c",
    salt="s",
    created_at=1.0,
    split_wanted=SPLIT,
)


def entry(rollout: Rollout) -> AuditEntry:
    return AuditEntry(rollout_id=rollout.id, version=rollout.version, ts=1.0, actor="a", event="e")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give an empty database of each kind."""
    return f"sqlite:///{tmp_path}/t.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """Give a store with one rollout."""
    made = SqlStore(url)
    made.upgrade()
    with made.unit() as unit:
        unit.rollouts.add(ROLLOUT, entry(ROLLOUT))
    yield made
    made.dispose()


def test_an_absent_postgresql_is_named_without_its_password():
    with (
        pytest.raises(StoreError, match=r"postgresql://me:\*\*\*@127.0.0.1:1/x") as caught,
        SqlStore("postgresql://me:secret@127.0.0.1:1/x").unit(),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert "GATEKEEPER_DATABASE_URL" in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with (
        pytest.raises(StoreError, match=f"check that {tmp_path}/none exists"),
        SqlStore(f"sqlite:///{tmp_path}/none/x.db").unit(),
    ):
        pass


@pytest.mark.parametrize("url", ["mysql://h/x", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_other_databases_are_refused(url: str):
    with pytest.raises(InputError, match="sqlite:///FILE or postgresql://"):
        SqlStore(url)


def test_rivals_move_a_rollout_once_for_each_version(store: SqlStore):
    def rival(number: int) -> int:
        won = 0
        for _ in range(10):
            with store.unit(readonly=True) as unit:
                seen = unit.rollouts.get("r")
            moved = replace(seen, version=seen.version + 1, reason=str(number))
            try:
                with store.unit() as unit:
                    unit.rollouts.save(moved, entry(moved), [OutboxItem(kind="k", key=str(moved.version), body={})])
                won += 1
            except ConflictError:
                pass
        return won

    with ThreadPoolExecutor(4) as threads:
        won = sum(threads.map(rival, range(4)))
    with store.unit() as unit:
        assert unit.rollouts.get("r").version == won > 0
        assert verify(unit.audit.entries("r"), last_version=won) == []
        assert unit.outbox.counts()["pending"] == won


def test_a_rollback_beats_a_promotion_read_before_it(store: SqlStore):
    promoted = replace(ROLLOUT, version=1, state=RolloutState.PROMOTED)
    back = replace(ROLLOUT, version=1, epoch=2, rollback_requested=True, state=RolloutState.ROLLED_BACK)
    with store.unit() as unit:
        unit.rollouts.save(back, entry(back))
    for late in (promoted, replace(promoted, version=2), replace(promoted, version=2, epoch=2)):
        with pytest.raises(ConflictError), store.unit() as unit:
            unit.rollouts.save(late, entry(late))


def test_rivals_share_due_work_without_overlap(store: SqlStore):
    with store.unit() as unit:
        ids = [unit.jobs.add("score", {}) for _ in range(40)]
        unit.outbox.add([OutboxItem(kind="k", key=str(number), body={}) for number in range(40)])

    def take(_: int) -> tuple[list[int], list[int]]:
        with store.unit() as unit:
            jobs, items = unit.jobs.due(10), unit.outbox.due(10)
            time.sleep(0.02)
            return [job.id for job in jobs], [item.id for item in items]

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(take, range(4)))
    assert sorted(job for jobs, _ in taken for job in jobs) == ids
    assert len({item for _, items in taken for item in items}) == 40

    def claim(job_id: int) -> int:
        with store.unit() as unit:
            return unit.jobs.claim(job_id, 60) is not None

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(claim, ids * 4)) == 40


def test_a_reader_does_not_wait_for_a_writer(store: SqlStore):
    with store.unit() as writer:
        writer.tallies.put("r", 0, 1, {"n": 1})
        with store.unit(readonly=True) as reader:
            assert reader.tallies.get("r", 0, 1) is None
            assert reader.rollouts.get("r") == ROLLOUT


def test_the_clock_is_near_the_hosts_and_moves_within_a_unit(store: SqlStore):
    with store.unit() as unit:
        first = unit.clock.now()
        time.sleep(0.01)
        assert first < unit.clock.now() < first + 5
        assert abs(first - time.time()) < 5


@pytest.mark.services
def test_a_value_that_postgresql_cannot_hold_is_bad_input(postgres_url: str):
    store = SqlStore(postgres_url)
    store.upgrade()
    with pytest.raises(InputError, match="cannot hold"), store.unit() as unit:
        unit.exchanges.add([Exchange(id="a\x00b", ts=1.0, arm="baseline")])
    store.dispose()


@pytest.mark.services
def test_a_connection_that_was_cut_is_said_and_the_next_unit_works(postgres_url: str):
    store = SqlStore(postgres_url)
    store.upgrade()

    def cut() -> None:
        with store.unit() as unit:
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            unit.jobs.add("score", {})

    with pytest.raises(StoreError, match="database postgresql://"):
        cut()
    with store.unit() as unit:
        assert unit.jobs.counts()["pending"] == 0
    store.dispose()


MOVER = """
import sys
from dataclasses import replace
from gatekeeper.adapters.store.unit import SqlStore
from gatekeeper.model.audit import AuditEntry
store = SqlStore(sys.argv[1])
while True:
    with store.unit() as unit:
        seen = unit.rollouts.get("r", lock=True)
        moved = replace(seen, version=seen.version + 1)
        entry = AuditEntry(rollout_id="r", version=moved.version, ts=1.0, actor="a", event="e", body={"x": "y" * 500})
        unit.rollouts.save(moved, entry)
    print(moved.version, flush=True)
"""


def test_a_killed_writer_leaves_whole_transitions(store: SqlStore, url: str):
    said = 0
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", MOVER, url], stdout=subprocess.PIPE, text=True)
        for _ in range(5):
            said = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate()
        said = max([said, *map(int, rest.split())])
        with store.unit(readonly=True) as unit:
            stands = unit.rollouts.get("r").version
            assert verify(unit.audit.entries("r"), last_version=stands) == []
        assert said <= stands <= said + 1


def test_a_forked_child_gets_connections_of_its_own(store: SqlStore):
    with store.unit(readonly=True) as unit:
        assert unit.rollouts.get("r")
    child = os.fork()
    if child == 0:
        with store.unit() as unit:
            unit.jobs.add("score", {})
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with store.unit() as unit:
        assert unit.jobs.counts()["pending"] == 1
