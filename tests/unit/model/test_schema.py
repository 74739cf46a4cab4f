"""The published schemas are schemas, and the nouns' own values fit them."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.errors import UnknownNameError
from gatekeeper.model import schema
from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange, Failure, Timing
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import sample_to_dict, to_dict


@pytest.mark.parametrize("name", schema.names())
def test_every_schema_is_2020_12_with_a_title_and_a_description(name: str) -> None:
    body = schema.load(name)
    Draft202012Validator.check_schema(body)
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert body["$id"] == f"urn:gatekeeper:schema:{name}"
    assert body["title"]
    assert body["description"]


def test_the_promised_schemas_are_there() -> None:
    assert {"policy", "sample", "exchange", "report", "evalset"} <= set(schema.names())


def test_an_unknown_schema_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"known: .*policy"):
        schema.load("polcy")


def test_draft_07_says_the_same() -> None:
    old = schema.draft7(schema.load("policy"))
    Draft7Validator.check_schema(old)
    assert "$defs" not in json.dumps(old)
    good = {"metrics": {"error_rate": {"limit": "2%"}}, "stages": [{"bake": {"wait": "1d"}}]}
    bad = {"metrics": {"error_rate": {"limit": "2x", "nope": 1}}, "stages": [{"bake": {"wait": 5}}]}
    for body, faulty in ((good, 0), (bad, 3)):
        for validator in (Draft7Validator(old), Draft202012Validator(schema.load("policy"))):
            assert len(list(validator.iter_errors(body))) == faulty


def test_every_example_in_the_policy_schema_is_a_right_one() -> None:
    body = schema.load("policy")
    parts = {**body["$defs"], **body["properties"], **body["$defs"]["stage"]["properties"]}
    for name, part in parts.items():
        wanted = Draft202012Validator({**part, "$defs": body["$defs"]})
        for example in part.get("examples", []):
            assert not list(wanted.iter_errors(example)), (name, example)
    for window in body["properties"]["freeze"]["items"]["examples"]:
        assert policy_from_mapping({"metrics": {"error_rate": {"limit": "2%"}}, "freeze": [window]}).freeze == (window,)


def test_samples_as_we_write_them_fit() -> None:
    sample = Sample(
        request_id="r1", ts=1.5, arm=Arm.CANDIDATE, segment={"workload": "batch"}, error="timeout", extra={"score": 1.0}
    )
    Draft202012Validator(schema.load("sample")).validate(sample_to_dict(sample))


def test_exchanges_as_we_write_them_fit() -> None:
    validator = Draft202012Validator(schema.load("exchange"))
    answered = Exchange(id="x", ts=1.0, arm=Arm.BASELINE, response={"choices": []}, timing=Timing(e2e_ms=5.0))
    failed = Exchange(id="y", ts=1.0, arm=Arm.CONTROL, error=Failure(kind="timeout", message="5 s"))
    for exchange in (answered, failed):
        validator.validate(json.loads(json.dumps(to_dict(exchange))))
    assert not validator.is_valid({"id": "z", "ts": 1.0, "arm": "baseline"})
