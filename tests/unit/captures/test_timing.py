"""A figure is the client's time of a token, or None with the reason."""

from __future__ import annotations

import pytest

from gatekeeper.captures.timing import Seen, measure, output_tokens

READS = [(10.1, 5), (10.2, 20), (10.25, 30), (10.5, 60)]


def seen(**fields: object) -> Seen:
    plain = {"began": 10.0, "ended": 10.6, "streamed": True, "marks": READS, **fields}
    return Seen(**plain)


def test_a_token_came_with_the_read_in_which_its_event_was_whole():
    found = measure(seen(token_ends=[(12, 0), (28, 0), (40, 0), (60, 0)]), 7, 1)
    assert found.unmeasured == {}
    assert found.timing.ttft_ms == pytest.approx(200)
    assert found.timing.e2e_ms == pytest.approx(600)
    assert found.timing.tpot_ms == pytest.approx(300 / 6)
    assert found.timing.itl_p50_ms == pytest.approx(50)
    assert found.timing.itl_p95_ms == found.timing.itl_max_ms == pytest.approx(250)


def test_sequences_that_run_side_by_side_are_timed_each_on_its_own():
    ends = [(12, 0), (20, 1), (40, 0), (60, 1)]
    found = measure(seen(token_ends=ends), 8, 2)
    assert found.timing.tpot_ms == pytest.approx(300 / 3)
    assert found.timing.itl_p50_ms == pytest.approx(300)


@pytest.mark.parametrize(
    ("fields", "tokens", "why"),
    [
        (
            {"streamed": False},
            3,
            {"ttft_ms": "not streamed", "tpot_ms": "not streamed", "itl_ms": "not streamed"},
        ),
        ({}, 3, {"ttft_ms": "no event", "tpot_ms": "no event", "itl_ms": "no event"}),
        ({"ended": None}, 3, {"latency_ms": "did not end", "ttft_ms": "no event", "tpot_ms": "no", "itl_ms": "no"}),
        ({"token_ends": [(12, 0)]}, 3, {"tpot_ms": "fewer than two", "itl_ms": "fewer than two"}),
        ({"token_ends": [(12, 0), (60, 0)]}, None, {"tpot_ms": "no token counts"}),
        ({"token_ends": [(12, 0), (60, 0)]}, 1, {"tpot_ms": "fewer than two"}),
        ({"token_ends": [(12, 0), (60, 0)], "held": True}, 9, {"tpot_ms": "the client", "itl_ms": "the client"}),
        ({"token_ends": [(12, 0), (90, 0)], "cut": True}, 9, {"tpot_ms": "longer", "itl_ms": "longer"}),
    ],
)
def test_what_could_not_be_had_says_why(fields: dict[str, object], tokens: int | None, why: dict[str, str]):
    found = measure(seen(**fields), tokens, 1)
    assert set(found.unmeasured) == set(why)
    assert all(part in found.unmeasured[name] for name, part in why.items())
    names = {"ttft_ms": "ttft_ms", "tpot_ms": "tpot_ms", "itl_ms": "itl_p50_ms", "latency_ms": "e2e_ms"}
    assert {name for name, figure in names.items() if getattr(found.timing, figure) is None} == set(why)


@pytest.mark.parametrize(
    ("response", "tokens"),
    [
        (None, None),
        ({"usage": None}, None),
        ({"usage": {"completion_tokens": True}}, None),
        ({"usage": {"completion_tokens": 9}}, 9),
        ({"usage": {"output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}}}, 5),
        (
            {
                "usage": {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}},
                "choices": [{"message": {"reasoning_content": "hm"}}],
            },
            9,
        ),
    ],
)
def test_only_tokens_that_were_shown_share_the_time(response: dict[str, object] | None, tokens: int | None):
    assert output_tokens(response) == tokens
