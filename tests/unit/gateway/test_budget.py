"""Second tries stay a share of the traffic over any stretch of time, and quiet hours keep a few."""

from __future__ import annotations

import pytest

from gatekeeper.gateway.budget import Budget


@pytest.mark.parametrize("per_s", [0, 10, 1000])
def test_when_everything_fails_a_share_and_the_floor_are_tried_again(per_s: int):
    budget = Budget(0.1, 5.0, 0.0)
    tried = asked = 0
    for tick in range(60_000):
        now = tick / 1000
        for _ in range(per_s // 1000 or tick % (1000 // max(per_s, 1)) == 0):
            budget.requests += 1
            asked += 1
            tried += budget.spend(now)
    assert tried + budget.refused == asked
    assert tried <= 0.1 * asked + 5 * 60 + 50 + 1
    assert tried >= min(asked, 0.9 * (0.1 * asked + 5 * 60))


def test_a_quiet_hour_saves_up_no_more_than_its_last_seconds():
    budget = Budget(0.1, 5.0, 0.0)
    for _ in range(360_000):
        budget.requests += 1
    given = 0
    while budget.spend(3600.0):
        given += 1
    assert given == pytest.approx(0.1 * 100 * 10 + 5 * 10, abs=2)


def test_none_is_given_without_share_and_floor():
    budget = Budget(0.0, 0.0, 0.0)
    budget.requests += 1
    assert not budget.spend(1.0)
    assert budget.refused == 1
