"""How the ordinary requests of one plan go to one endpoint: worked out once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gatekeeper.captures.whole import kind_of
from gatekeeper.gateway.body import with_model
from gatekeeper.gateway.http import request_lead
from gatekeeper.gateway.leg import SHADOW_LINE
from gatekeeper.gateway.usage import asking
from gatekeeper.model.arm import Arm
from gatekeeper.model.cohort import APART_STAGE

if TYPE_CHECKING:
    from gatekeeper.gateway.counters import Count
    from gatekeeper.gateway.http import Request, RequestHead
    from gatekeeper.gateway.leg import Road
    from gatekeeper.gateway.opening import Opening
    from gatekeeper.gateway.proxy import Plan, Shop
    from gatekeeper.model.split import Endpoint

_CANDIDATE: Final = Arm.CANDIDATE


class Way:
    """Hold how requests of a plan are sent to an endpoint, and what is recorded of each of them.

    lead, last: what a head sent there begins and ends with. model: put in place of the one asked for, None: it stays.
    asks_usage: of a stream, which its client does not ask for. answer_s: a whole exchange or its first byte, whichever
    ends first. fine: counts answers that are no errors, or copies that were sent. copied: some requests are also sent
    to the candidate. opening: of the last body that began in a known way, and opened: what is sent in its place.
    place, told, prices: fields of `RawExchange`, from service to epoch, from cluster_id to path, and the last two;
    kind: the same, as they are written.
    """

    __slots__ = (
        "answer_s",
        "arm",
        "arm_name",
        "asks_usage",
        "copied",
        "endpoint",
        "fine",
        "kind",
        "last",
        "lead",
        "model",
        "opened",
        "opening",
        "place",
        "plan",
        "prices",
        "road",
        "shop",
        "stage",
        "told",
    )

    def __init__(
        self,
        shop: Shop,
        plan: Plan,
        arm: Arm,
        endpoint: Endpoint,
        stage: int,
        road: Road,
        lead: bytes,
        last: bytes,
        model: str | None,
        fine: Count,
        told: tuple[Any, ...],
        *,
        asks_usage: bool,
    ) -> None:
        """Work out what follows from it."""
        split, limits = plan.split, road.limits
        self.shop = shop
        self.plan = plan
        self.arm = arm
        self.endpoint = endpoint
        self.stage = stage
        self.road = road
        self.lead = lead
        self.last = last
        self.model = model
        self.asks_usage = asks_usage
        self.answer_s = min(limits.first_byte_s, limits.total_s)
        self.fine = fine
        self.copied = bool(split.mirror_bp)
        self.arm_name = arm.value
        self.place = (split.service, split.rollout_id, stage, split.epoch)
        self.told = told
        self.prices = (endpoint.prompt_usd, endpoint.completion_usd)
        self.kind = kind_of((self.arm_name, *self.place), told, self.prices)
        self.opening: Opening | None = None
        self.opened = b""

    def message(self, request: Request) -> bytes:
        """Return a request as it goes there.

        Raises:
            Refusal: the model's name cannot be replaced in this body.
        """
        opening = request.opening
        if opening is not None:
            rest = request.rest
            opened = self.opened if opening is self.opening else self._open(opening)
            length = len(opened) + len(rest)
            return b"%b%d\r\n%b%b%b%b" % (self.lead, length, request.id_line, self.last, opened, rest)
        body = request.body
        if self.asks_usage:
            body = asking(body)
        if self.model is not None:
            body = with_model(body, self.plan.model or "", self.model)
        return b"%b%d\r\n%b%b%b" % (self.lead, len(body), request.id_line, self.last, body)

    def _open(self, opening: Opening) -> bytes:
        """Return what is sent in place of a body's beginning."""
        self.opening = opening
        opened = opening.naming(self.model) if self.model is not None else opening.text
        self.opened = asking(opened) if self.asks_usage else opened
        return self.opened


def way_of(shop: Shop, plan: Plan, head: RequestHead, endpoint: Endpoint, *, copies: bool = False) -> Way:
    """Work out the way of a plan's requests, or of their copies, to an endpoint.

    Raises:
        InputError: the endpoint's URL is none.
    """
    split, labels, counters = plan.split, plan.labels, shop.counters
    stage = split.stage if plan.drawn else APART_STAGE
    arm = _CANDIDATE if copies else plan.arm
    road = shop.fleet.road(endpoint.url, arm, streamed=copies or plan.streamed, shadow=copies)
    asks_usage = plan.asks_usage and road.pool.knows_usage
    return Way(
        shop,
        plan,
        arm,
        endpoint,
        stage,
        road,
        request_lead(head, road.pool.origin, plain=asks_usage),
        SHADOW_LINE + b"\r\n" if copies else b"\r\n",
        endpoint.model if endpoint.model and plan.model is not None else None,
        counters.mirrors.of(split.service, "sent") if copies else counters.requests.of(split.service, arm.value, "ok"),
        (labels.cluster_id, labels.segment, labels.expect, labels.response_schema, head.path),
        asks_usage=asks_usage,
    )
