"""Between a client's connection and who answers it: the two roles, as each sees the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from gatekeeper.gateway.heads import Heads
    from gatekeeper.gateway.http import Request, RequestHead
    from gatekeeper.gateway.limits import Limits
    from gatekeeper.gateway.outbox import Outbox
    from gatekeeper.gateway.server import ClientConnection


class Turn(Protocol):
    """Be a request that is being answered; hears what the client's connection does meanwhile."""

    def client_gone(self) -> None:
        """Stop: nobody waits for the answer."""

    def pause(self) -> None:
        """Bring no more for now: the client does not keep up."""

    def resume(self) -> None:
        """Go on."""


class Front(Protocol):
    """Be who answers requests, and keep the connections."""

    limits: Limits
    loop: asyncio.AbstractEventLoop
    draining: bool
    heads: Heads[RequestHead]
    connections: set[ClientConnection]
    outbox: Outbox

    def answer(self, request: Request, client: ClientConnection) -> Turn | None:
        """Begin to answer; None when the answer is already written. May raise Refusal."""

    def refused(self, status: int) -> None:
        """Count an answer with an error of our own."""
