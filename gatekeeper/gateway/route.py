"""Where a request goes: by exact path, by the model it asks for, by its sticky key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.decide.assign import arm
from gatekeeper.gateway.body import Facts, read_facts
from gatekeeper.gateway.http import Refusal
from gatekeeper.gateway.labels import Ids, read_labels
from gatekeeper.gateway.proxy import Plan
from gatekeeper.model.arm import Arm

if TYPE_CHECKING:
    from gatekeeper.adapters.splitfeed import SplitFeed
    from gatekeeper.gateway.http import Request
    from gatekeeper.model.split import Split

FORWARDED = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")


UNMEASURED = "/v1/embeddings"
"""Forwarded, split and counted; there is no answer in words that could be scored."""


class Router:
    """Plan requests by the splits of the feed; catch_all: the service of models that no service is named after."""

    def __init__(self, feed: SplitFeed, catch_all: str | None) -> None:
        """Keep where splits come from."""
        self._feed = feed
        self._catch_all = catch_all
        self._ids = Ids()

    def plan(self, request: Request) -> Plan:
        """Decide about a request.

        Raises:
            Refusal: 400 a body that is not understood, 404 an unknown model, 503 no service is known yet.
        """
        facts = read_facts(request.body)
        split = self._split(facts.model)
        labels = read_labels(request, facts, self._ids)
        return Plan(
            split=split,
            arm=arm(split, labels.key),
            labels=labels,
            model=facts.model,
            streamed=facts.stream is True,
            measured=request.path != UNMEASURED,
        )

    def plan_models(self, request: Request) -> Plan | None:
        """Plan to have the catch-all's baseline list its models; None: there is no catch-all."""
        split = self._feed.get(self._catch_all) if self._catch_all is not None else None
        if split is None:
            return None
        labels = read_labels(request, Facts(), self._ids)
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
