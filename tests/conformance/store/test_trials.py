"""Gates that the server runs, in every store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gatekeeper.errors import NotFoundError
from gatekeeper.model.trial import Trial, TrialState

if TYPE_CHECKING:
    from conftest import Store

TRIAL = Trial(
    id="g1",
    service="chat",
    policy_text="policy: p",
    policy_digest="d",
    evalset="words",
    evalset_digest="e",
    baseline_id="b",
    candidate_id="c",
    answers=300,
    created_at=1.5,
    deadline_at=3_601.5,
)


def test_a_trial_comes_back_as_it_was_stored_and_newest_first(store: Store):
    later = replace(TRIAL, id="g2", created_at=2.5, report={"verdict": "hold", "findings": []}, answered=12)
    ended = replace(TRIAL, state=TrialState.FAILED, reason="refusal_rate is up", ended_at=9.0)
    with store.unit() as unit:
        for trial in (TRIAL, later, ended):
            unit.trials.put(trial)
    with store.unit(readonly=True) as unit:
        assert unit.trials.get("g1") == ended
        assert unit.trials.get("g2", lock=False) == later
        assert [one.id for one in unit.trials.list()] == ["g2", "g1"]
        assert [one.id for one in unit.trials.list(limit=1)] == ["g2"]
        assert [one.id for one in unit.trials.list(running=True)] == ["g2"]


def test_an_unknown_trial_is_not_found(store: Store):
    with store.unit() as unit, pytest.raises(NotFoundError, match="no gate 'nope'"):
        unit.trials.get("nope")


def test_a_trial_is_undone_with_its_unit(store: Store):
    def put_and_fail() -> None:
        with store.unit() as unit:
            unit.trials.put(TRIAL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put_and_fail()
    with store.unit() as unit:
        assert not unit.trials.list()
