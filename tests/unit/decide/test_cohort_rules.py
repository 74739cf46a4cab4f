"""Cohorts and segment rules of a policy: what they become, what is refused, and which segment a request is of."""

from __future__ import annotations

import pytest

from gatekeeper.decide.classify import classify
from gatekeeper.decide.policyfile import parse_policy
from gatekeeper.errors import PolicyError
from gatekeeper.model.cohort import Cohorts, SegmentRule
from gatekeeper.model.split import Endpoint, Split
from gatekeeper.model.wire import from_dict, to_dict

HEAD = "metrics: {error_rate: {max_increase: 1pp}}\nsegments: [tier, size]\n"


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        parse_policy(HEAD + text)
    return [f"{fault.path}: {fault.message}" for fault in raised.value.faults]


def test_cohorts_are_read_and_have_a_part_in_the_digest():
    policy = parse_policy(HEAD + "cohorts: {candidate: [qa-2, qa-1], baseline: [acme], holdout: 2.5%}")
    assert policy.cohorts == Cohorts(candidate=("qa-1", "qa-2"), baseline=("acme",), holdout_bp=250)
    same = parse_policy(HEAD + "cohorts: {holdout: 2.5%, baseline: [acme], candidate: [qa-1, qa-2]}")
    other = parse_policy(HEAD + "cohorts: {holdout: 2%, baseline: [acme], candidate: [qa-1, qa-2]}")
    assert policy.digest == same.digest != other.digest
    assert parse_policy(HEAD).cohorts is None


def test_faults_of_cohorts_are_told_together():
    told = faults("cohorts: {candidate: [a, Bearer sk-1], baseline: [a], holdout: 100%}")
    assert told == [
        (
            "cohorts.candidate[1]: found a credential, expected `sha256:` and the hexadecimal SHA-256 of the "
            "Authorization header's value"
        ),
        "cohorts.baseline[0]: found 'a', which `candidate` lists too, expected it once",
        "cohorts.holdout: found 100%, expected less than 100%: nobody would be left to compare",
    ]
    (fine,) = faults("cohorts: {holdout: 0.001%}")
    assert fine == "cohorts.holdout: found '0.001%', expected a share in steps of 0.01%"


def test_faults_of_segment_rules_are_told_together():
    told = faults(
        "segment_rules:\n"
        "  - {segment: {teir: gold}}\n"
        "  - {header: {Authorization: x}, segment: {tier: gold}}\n"
        "  - {path: /v1/other, segment: {tier: gold}}\n"
        "  - {min_bytes: 10}\n"
    )
    assert [text.partition(":")[0] for text in told] == [
        "segment_rules[0]",
        "segment_rules[0].segment.teir",
        "segment_rules[1].header.Authorization",
        "segment_rules[2].path",
        "segment_rules[3]",
    ]
    assert "expected it last" in told[0]
    assert "did you mean 'tier'?" in told[1]
    assert "holds a secret" in told[2]


def test_rules_name_the_plain_segment_where_the_policy_names_no_keys():
    head = "metrics: {error_rate: {max_increase: 1pp}}\n"
    policy = parse_policy(head + "segment_rules: [{min_bytes: 9, segment: {segment: long}}]")
    assert policy.segment_rules == (SegmentRule(segment=(("segment", "long"),), min_bytes=9),)
    with pytest.raises(PolicyError, match="'tier' is not in `segments`; known: segment"):
        parse_policy(head + "segment_rules: [{min_bytes: 9, segment: {tier: long}}]")


def test_the_first_rule_that_is_met_wins_key_by_key_also_over_the_requests_own_words():
    policy = parse_policy(
        HEAD + "segment_rules:\n"
        "  - {header: {X-Tier: gold}, segment: {tier: gold}}\n"
        "  - {model: bot, path: /v1/completions, segment: {tier: old}}\n"
        "  - {min_bytes: 1000, segment: {size: long, tier: heavy}}\n"
        "  - {segment: {size: short}}\n"
    )

    def of(said: object = None, size: int = 10, path: str = "/v1/completions", **headers: str) -> object:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return classify(policy.segment_rules, said, headers=headers, model="bot", path=path, size=size)

    assert of(x_tier="gold") == {"tier": "gold", "size": "short"}
    assert of(x_tier="Gold") == {"tier": "old", "size": "short"}
    assert of(path="/v1/responses") == {"size": "short"}
    assert of(path="/v1/responses", size=1000) == {"size": "long", "tier": "heavy"}
    assert of(size=1000) == {"size": "long", "tier": "old"}
    assert of({"tier": "mine", "more": "1"}) == {"tier": "old", "size": "short", "more": "1"}
    assert of("word", path="/v1/responses") == {"segment": "word", "size": "short"}


def test_no_rule_met_leaves_what_the_request_says():
    rule = SegmentRule(segment=(("tier", "gold"),), headers=(("x-tier", "gold"),))
    for said in (None, "word", {"a": "b"}):
        assert classify((rule,), said, headers={}, model=None, path="/v1/responses", size=0) == said


def test_a_split_takes_both_to_the_gateways_and_one_without_them_still_loads():
    split = Split(
        service="x",
        epoch=1,
        version=1,
        baseline=Endpoint(url="u", model="m"),
        cohorts=Cohorts(candidate=("b", "a", "b")),
        segment_rules=(SegmentRule(segment=(("tier", "gold"),), headers=(("x-tier", "gold"),), min_bytes=3),),
    )
    plain = to_dict(split)
    assert from_dict(Split, plain) == split
    assert plain["cohorts"]["candidate"] == ("a", "b")
    unsorted = from_dict(Split, {**plain, "cohorts": {"candidate": ["b", "a"]}})
    assert unsorted.cohorts == Cohorts(candidate=("a", "b"))
    old = from_dict(Split, {key: value for key, value in plain.items() if key not in ("cohorts", "segment_rules")})
    assert (old.cohorts, old.segment_rules) == (None, ())
