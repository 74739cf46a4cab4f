"""Who is served by whom: lists, the holdout, an arm asked for with the secret, and segments by rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.errors import InputError
from gatekeeper.gateway.app import Gateway
from gatekeeper.model.arm import Arm
from gatekeeper.model.cohort import APART_STAGE, Cohorts, SegmentRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.split import Split

SECRET = "s" * 16
BODY = {"model": "bot", "messages": []}


def ask(url: str, key: str, path: str = "/v1/chat/completions", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{url}{path}", json=BODY, headers={"x-gatekeeper-key": key, **named})


def test_listed_and_held_out_keys_get_their_arm_and_are_not_compared(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    who = Cohorts(candidate=("qa",), baseline=("acme",), holdout_bp=500)
    server, candidate = upstream(), upstream()
    running = gateway(
        split(server, candidate, candidate_bp=9_999, mirror_bp=10_000, service="support-bot", cohorts=who)
    )
    BODY["model"] = "support-bot"
    try:
        arms = {key: ask(running.url, key).headers["x-gatekeeper-arm"] for key in ("qa", "acme", "user-4", "user-1")}
    finally:
        BODY["model"] = "bot"
    assert arms == {"qa": "candidate", "acme": "baseline", "user-4": "baseline", "user-1": "candidate"}
    stages = {one.cluster_id: (one.arm, one.stage, one.pair_id) for one in running.recorded()}
    assert stages == {
        "qa": (Arm.CANDIDATE, APART_STAGE, None),
        "acme": (Arm.BASELINE, APART_STAGE, None),
        "user-4": (Arm.BASELINE, APART_STAGE, None),
        "user-1": (Arm.CANDIDATE, 2, None),
    }
    assert len(candidate.requests) == 2


def test_those_kept_out_are_not_copied_either(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    who = Cohorts(candidate=("qa",), baseline=("acme",))
    candidate = upstream()
    running = gateway(split(upstream(), candidate, mirror_bp=10_000, cohorts=who))
    assert ask(running.url, "acme").status_code == 200
    assert ask(running.url, "qa").headers["x-gatekeeper-arm"] == "baseline"
    shadows = [one.cluster_id for one in running.recorded() if one.arm is Arm.CANDIDATE]
    assert shadows == ["qa"]


def test_an_arm_is_given_to_those_who_show_the_secret(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    candidate = upstream()
    running = gateway(split(upstream(), candidate, candidate_bp=0), override_key=SECRET)
    given = ask(running.url, "u", x_gatekeeper_arm="candidate", x_gatekeeper_override_key=SECRET)
    assert (given.status_code, given.headers["x-gatekeeper-arm"]) == (200, "candidate")
    back = ask(running.url, "u", x_gatekeeper_arm="Baseline", x_gatekeeper_override_key=SECRET)
    assert back.headers["x-gatekeeper-arm"] == "baseline"
    assert b"x-gatekeeper" not in candidate.requests[0].lower()
    assert [one.stage for one in running.recorded()] == [APART_STAGE, APART_STAGE]


@pytest.mark.parametrize("sent", [{}, {"x_gatekeeper_override_key": "s" * 15}, {"x_gatekeeper_override_key": "é" * 16}])
@pytest.mark.parametrize("secret", [SECRET, ""])
def test_without_the_secret_the_request_is_refused(
    upstream: Callable[..., Any],
    gateway: Callable[..., Any],
    split: Callable[..., Split],
    secret: str,
    sent: dict[str, str],
):
    server = upstream()
    running = gateway(split(server, upstream(), candidate_bp=5_000), override_key=secret)
    headers = {name: value.encode() for name, value in sent.items()}
    answer = ask(running.url, "u", x_gatekeeper_arm="candidate", **headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"
    assert server.requests == []


def test_an_arm_that_there_is_not_is_refused_and_without_a_candidate_the_baseline_answers(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    running = gateway(split(upstream()), override_key=SECRET)
    odd = ask(running.url, "u", x_gatekeeper_arm="canary", x_gatekeeper_override_key=SECRET)
    assert (odd.status_code, odd.json()["error"]["message"]) == (
        400,
        "x-gatekeeper-arm: expected baseline or candidate",
    )
    lone = ask(running.url, "u", x_gatekeeper_arm="candidate", x_gatekeeper_override_key=SECRET)
    assert lone.headers["x-gatekeeper-arm"] == "baseline"


def test_a_short_secret_is_refused():
    with pytest.raises(InputError, match="has 15 characters; expected 16 or more"):
        Gateway(SplitFeed(), override_key="s" * 15)


def test_rules_put_requests_into_segments(
    upstream: Callable[..., Any], gateway: Callable[..., Any], split: Callable[..., Split]
):
    rules = (
        SegmentRule(segment=(("tier", "gold"),), headers=(("x-tier", "gold"),)),
        SegmentRule(segment=(("kind", "old"),), path="/v1/completions"),
    )
    running = gateway(split(upstream(), segment_rules=rules))
    ask(running.url, "u", X_Tier="gold", x_gatekeeper_segment="tier=tin,a=b")
    ask(running.url, "u", path="/v1/completions?x=1")
    ask(running.url, "u", x_gatekeeper_segment="word")
    segments = [one.segment for one in running.recorded()]
    assert segments == [{"tier": "gold", "a": "b"}, {"kind": "old"}, "word"]
