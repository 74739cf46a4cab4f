"""A body that begins as one did before is read and sent exactly as if nobody remembered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.adapters.splitfeed import SplitFeed
from gatekeeper.gateway.body import read_facts, with_model
from gatekeeper.gateway.http import Refusal, Request, RequestHead
from gatekeeper.gateway.opening import Opening, opening_of
from gatekeeper.gateway.override import Overrides
from gatekeeper.gateway.route import Router
from gatekeeper.model.split import Endpoint, Split

BEGINNINGS = st.sampled_from(
    [
        b'{"model":"bot","',
        b'{"model": "bot", "',
        b'{\n  "model" : "bot",\n  "',
        b'{"model":"Zo\xc3\xab","',
        b'{"model":"b\xc3","',
    ]
)
RESTS = st.sampled_from(
    [
        b'user":"u","messages":[]}',
        b'user":1}',
        b'user":null,"stream":true}',
        b'messages":[{"model":"bot"},"\\"model\\":"]}',
        b'model":"bot"}',
        b'model":"other"}',
        b'model":null}',
        b'model":7}',
        b'mod\\u0065l":"other"}',
        b'a":1} ',
        b'a":1}x',
        b'a":1',
        b'":"',
        b"}",
        b'a":"\xff"}',
        b'stream_options":null}',
    ]
)


def asking(body: bytes) -> Request:
    head = RequestHead(b"POST", b"/v1/x", "/v1/x", [], b"", b"", 1)
    return Request(head, body, keep_alive=True, peer="p", arrived=0.0)


def outcome(body: bytes) -> Any:  # noqa: ANN401 - facts, or why there are none
    try:
        facts = read_facts(body)
    except Refusal as refusal:
        return refusal.message
    return facts.model, facts.user, facts.stream, facts.stream_options


@given(BEGINNINGS, RESTS, RESTS | st.binary(max_size=30), st.sampled_from(["bot", "base", 'q"', "Zoë"]))
def test_a_beginning_that_comes_again_changes_nothing(beginning: bytes, first: bytes, rest: bytes, new: str):
    try:
        known = opening_of(beginning + first, read_facts(beginning + first))
    except Refusal:
        return
    if known is None:
        return
    request = asking(beginning + rest)
    facts = known.read(request)
    if facts is None:
        assert request.opening is None
        return
    assert (facts.model, facts.user, facts.stream, facts.stream_options) == outcome(request.body)
    assert known.text + request.rest == request.body
    assert known.naming(new) + request.rest == with_model(request.body, known.model, new)


def test_what_names_no_other_model_is_known_again():
    body = b'{"model": "bot", "user": "a", "x": {"model": "y"}}'
    known = opening_of(body, read_facts(body))
    assert isinstance(known, Opening)
    assert known.read(asking(body)) is not None
    assert known.read(asking(body.replace(b'"bot"', b'"bos"'))) is None


@pytest.mark.parametrize("body", [b'{"user":"a","model":"bot"}', b'{"model":"b\\u006ft","a":1}', b'{"model":"bot"}'])
def test_other_beginnings_are_read_as_a_whole(body: bytes):
    assert opening_of(body, read_facts(body)) is None


def test_nothing_is_remembered_from_one_split_user_or_head_for_another():
    def split(service: str, version: int, model: str) -> Split:
        ends = {"baseline": Endpoint(url="http://127.0.0.1:1", model=model), "salt": "s", "rollout_id": "r", "stage": 1}
        return Split(service=service, epoch=1, version=version, **ends)

    feed = SplitFeed(initial=[split("bot", 1, "one"), split("cat", 1, "two")])
    router = Router(feed, None, Overrides(""))
    heads = [asking(b"").head for _ in range(2)]

    def planned(number: int, model: bytes, user: bytes) -> tuple[str, str, str]:
        request = asking(b'{"model":"%b","user":"%b"}' % (model, user))
        request.head = heads[number]
        plan = router.plan(request)
        return plan.split.service, plan.split.baseline.model or "", plan.labels.key

    for _ in range(2):
        for number in range(2):
            assert planned(number, b"bot", b"a") == ("bot", "one", "a")
            assert planned(number, b"cat", b"b") == ("cat", "two", "b")
            assert planned(number, b"bot", b"b") == ("bot", "one", "b")
    feed.update([split("bot", 2, "three"), split("cat", 1, "two")])
    assert planned(0, b"bot", b"a") == ("bot", "three", "a")
