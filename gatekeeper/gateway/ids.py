"""Ids of exchanges: what a client names its request, and what is drawn for those that name none."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gatekeeper.gateway.http import Request

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REMEMBERED_IDS: Final = 50_000
_DRAWN_IDS: Final = 256


class Ids:
    """Tell an id that a client sent once from one that it sends again: records are kept by id, each once.

    drawn: ids that nobody has, each with its header line; they may be taken from its end.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._seen: dict[str, None] = {}
        self.drawn: list[tuple[str, bytes]] = []

    def name(self, request: Request) -> None:
        """Give a request its ids: the client's own, where that is plain."""
        own_id = request.sent_id
        if own_id is not None and _SANE_ID.fullmatch(own_id):
            request.exchange_id = self.exchange_id(own_id.decode())
            request.id_line = b"x-request-id: %b\r\n" % own_id
            return
        if not self.drawn:
            self._draw()
        request.exchange_id, request.id_line = self.drawn.pop()

    def exchange_id(self, request_id: str) -> str:
        """Return the client's own id the first time, and one with a unique ending after that."""
        if request_id in self._seen:
            return f"{request_id}~{os.urandom(6).hex()}"
        self._seen[request_id] = None
        if len(self._seen) > _REMEMBERED_IDS:
            del self._seen[next(iter(self._seen))]
        return request_id

    def _draw(self) -> None:
        """Draw a block of ids, 32 hexadecimal digits each."""
        block = os.urandom(16 * _DRAWN_IDS).hex()
        ids = [block[at : at + 32] for at in range(0, len(block), 32)]
        self.drawn = [(each, b"x-request-id: %b\r\n" % each.encode()) for each in ids]
