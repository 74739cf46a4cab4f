"""Every store fences jobs by their attempt, and owes each effect once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.model.action import ATTEMPTS, OutboxItem

if TYPE_CHECKING:
    from gatekeeper.adapters.clock import HandClock
    from tests.conformance.store.conftest import Store


def test_a_job_is_claimed_by_one_and_done_once(store: Store):
    with store.unit() as unit:
        job_id = unit.jobs.add("score", {"rows": [1, 2]})
    with store.unit() as unit:
        job = unit.jobs.claim(job_id, 60)
    assert (job.id, job.kind, job.payload, job.attempt) == (job_id, "score", {"rows": [1, 2]}, 1)
    with store.unit() as unit:
        assert unit.jobs.claim(job_id, 60) is None
        assert unit.jobs.finish(job)
        assert not unit.jobs.finish(job)
        assert unit.jobs.claim(job_id, 60) is None
        assert unit.jobs.claim(10**6, 60) is None
        assert unit.jobs.counts() == {"pending": 0, "leased": 0, "done": 1, "dead": 0}


def test_a_lost_lease_fences_the_late_result_out(store: Store, clock: HandClock):
    with store.unit() as unit:
        late = unit.jobs.claim(unit.jobs.add("score", {}), 60)
        clock.advance(61)
        mine = unit.jobs.claim(late.id, 60)
        assert mine.attempt == 2
        assert not unit.jobs.finish(late)
        assert not unit.jobs.finish(late, "late")
        assert unit.jobs.finish(mine)


def test_errors_pause_a_job_and_the_last_one_is_its_end(store: Store, clock: HandClock):
    with store.unit() as unit:
        job_id = unit.jobs.add("score", {})
        for attempt in range(1, ATTEMPTS + 1):
            job = unit.jobs.claim(job_id, 60)
            assert job.attempt == attempt
            assert unit.jobs.finish(job, "boom")
            assert unit.jobs.claim(job_id, 60) is None
            clock.advance(200)
        assert unit.jobs.due(10) == []
        assert unit.jobs.counts()["dead"] == 1


def test_a_job_that_kills_its_workers_dies(store: Store, clock: HandClock):
    with store.unit() as unit:
        job_id = unit.jobs.add("score", {})
        starts = 0
        for _ in range(3 * ATTEMPTS):
            starts += unit.jobs.claim(job_id, 60) is not None
            clock.advance(61)
        assert starts == ATTEMPTS
        assert unit.jobs.counts()["dead"] == 1


def test_due_jobs_are_announced_oldest_first_and_again_later(store: Store, clock: HandClock):
    with store.unit() as unit:
        ids = [unit.jobs.add("score", {"n": n}) for n in range(3)]
        assert [job.id for job in unit.jobs.due(2)] == ids[:2]
        assert [job.id for job in unit.jobs.due(9)] == ids[2:]
        assert unit.jobs.due(9) == []
        leased = unit.jobs.claim(ids[0], 60)
        clock.advance(11)
        assert [job.id for job in unit.jobs.due(9)] == ids[1:]
        clock.advance(60)
        assert [job.id for job in unit.jobs.due(9)] == ids
        assert unit.jobs.finish(leased)


def test_an_effect_is_owed_once_by_its_key_and_leased_while_tried(store: Store, clock: HandClock):
    later = OutboxItem(kind="webhook", key="later", body={}, next_at=clock.now() + 100)
    with store.unit() as unit:
        unit.outbox.add([OutboxItem(kind="webhook", key="a", body={"n": 1}), later])
        unit.outbox.add([OutboxItem(kind="webhook", key="a", body={"n": 2})])
    with store.unit() as unit:
        (item,) = unit.outbox.due(10)
        assert (item.kind, item.key, item.body, item.attempt) == ("webhook", "a", {"n": 1}, 0)
        assert unit.outbox.due(10) == []
        clock.advance(61)
        assert [one.id for one in unit.outbox.due(10)] == [item.id]
        unit.outbox.retry(item.id, clock.now() + 5, "503")
        assert unit.outbox.due(10) == []
        clock.advance(6)
        (again,) = unit.outbox.due(10)
        assert again.attempt == 1
        unit.outbox.done(item.id)
        clock.advance(100)
        (last,) = unit.outbox.due(10)
        unit.outbox.retry(last.id, None, "410")
        clock.advance(1000)
        assert unit.outbox.due(10) == []
        assert unit.outbox.counts() == {"pending": 0, "done": 1, "dead": 1}
