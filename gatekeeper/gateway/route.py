"""Where a request goes: by exact path, by the model it asks for, by its sticky key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET

from gatekeeper.decide.assign import arm, given
from gatekeeper.decide.classify import classify
from gatekeeper.gateway.body import Facts, read_facts
from gatekeeper.gateway.http import Refusal
from gatekeeper.gateway.ids import Ids
from gatekeeper.gateway.labels import read_labels
from gatekeeper.gateway.opening import opening_of
from gatekeeper.gateway.proxy import Plan
from gatekeeper.gateway.usage import PATHS
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from gatekeeper.adapters.splitfeed import SplitFeed
    from gatekeeper.gateway.http import Request
    from gatekeeper.gateway.labels import Labels
    from gatekeeper.gateway.override import Overrides
    from gatekeeper.model.split import Split

_REMEMBERED_PLANS: Final = 8_192
_REMEMBERED_CHARACTERS: Final = 512
FORWARDED: Final = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")


class Router:
    """Plan requests by the splits of the feed.

    catch_all: the service of models that no service is named after. overrides: who may ask for an arm.
    """

    def __init__(self, feed: SplitFeed, catch_all: str | None, overrides: Overrides, *, ask_usage: bool = True) -> None:
        """Keep where splits come from. ask_usage: of streams, also where the client does not."""
        self._feed = feed
        self._overrides = overrides
        self._catch_all = catch_all
        self._ids = Ids()
        self._ask_usage = ask_usage
        self._planned = feed.splits
        self._plans: dict[tuple[int, str | None, str | None, bool, bool, str], Plan] = {}

    def plan(self, request: Request) -> Plan:
        """Decide about a request, and give it its ids; requests that decide alike share a plan until splits change.

        Raises:
            Refusal: 400 a body that is not understood, 403 an arm that may not be asked for, 404 an unknown model,
                503 no service is known yet.
        """
        head = request.head
        facts = head.opening.read(request) if head.opening is not None else None
        if facts is None:
            facts = read_facts(request.body)
            head.opening = opening_of(request.body, facts)
        drawn = self._ids.drawn
        if drawn and request.sent_id is None:
            request.exchange_id, request.id_line = drawn.pop()
        else:
            self._ids.name(request)
        splits = self._feed.splits
        if splits is not self._planned or len(self._plans) >= _REMEMBERED_PLANS:
            self._planned, self._plans = splits, {}
        user = facts.user if facts.user.__class__ is str else None
        unset = facts.stream_options is UNSET
        key = (head.number, facts.model, user, facts.stream is True, unset, request.peer)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._decide(request, facts, user or None)
            short = len(facts.model or "") + len(user or "") <= _REMEMBERED_CHARACTERS
            if short and plan.labels.override is None and not plan.split.segment_rules:
                self._plans[key] = plan
        return plan

    def forget(self) -> None:
        """Forget what plans were made; the next requests are planned anew."""
        self._plans = {}

    def _decide(self, request: Request, facts: Facts, user: str | None) -> Plan:
        split = self._split(facts.model)
        labels = read_labels(request, user)
        if split.segment_rules:
            labels = _in_segment(labels, split, request, facts)
        given_arm: Arm | None = None
        if labels.override is not None:
            given_arm = self._overrides.arm(labels.override, split)
        elif split.cohorts is not None:
            given_arm = given(split, split.cohorts, labels.key)
        streamed = facts.stream is True
        return Plan(
            split=split,
            arm=given_arm or arm(split, labels.key),
            drawn=given_arm is None,
            labels=labels,
            model=facts.model,
            streamed=streamed,
            asks_usage=streamed and self._ask_usage and facts.stream_options is UNSET and request.path in PATHS,
        )

    def plan_models(self, request: Request) -> Plan | None:
        """Plan to have the catch-all's baseline list its models; None: there is no catch-all."""
        split = self._feed.get(self._catch_all) if self._catch_all is not None else None
        if split is None:
            return None
        self._ids.name(request)
        labels = read_labels(request, None)
        return Plan(split=split, arm=Arm.BASELINE, labels=labels, model=None, streamed=False, measured=False)

    def _split(self, model: str | None) -> Split:
        split = self._feed.get(model) if model is not None else None
        if split is None and self._catch_all is not None:
            split = self._feed.get(self._catch_all)
        if split is not None:
            return split
        known = ", ".join(split.service for split in self._feed.all())
        if not known:
            raise Refusal(503, "this gateway knows no service yet: its control plane has not been heard from")
        if model is None:
            raise Refusal(400, f"the request names no 'model'; known: {known}", code="model_required")
        raise Refusal(404, f"the model {model!r} does not exist here; known: {known}", code="model_not_found")


def _in_segment(labels: Labels, split: Split, request: Request, facts: Facts) -> Labels:
    """Return the labels with the segment that the split's rules find."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())
    segment = classify(
        split.segment_rules,
        labels.segment,
        headers=headers,
        model=facts.model,
        path=request.path,
        size=len(request.body),
    )
    return msgspec.structs.replace(labels, segment=segment)
