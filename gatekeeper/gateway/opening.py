"""How bodies begin: clients write `{"model":"NAME","` again and again, and what follows is read and sent by itself.

A body with a known beginning whose rest names no other model has its model there, at the top: nobody has to look
for it, neither to know it nor to put another in its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET

from gatekeeper.gateway.body import decode_rest

if TYPE_CHECKING:
    from gatekeeper.gateway.body import Facts
    from gatekeeper.gateway.http import Request

_BEGINS: Final = re.compile(rb'\{[ \t\r\n]*"model"[ \t\r\n]*:[ \t\r\n]*"([^"\\]*)"[ \t\r\n]*,[ \t\r\n]*"')
_LONGEST: Final = 512
_encode: Final = msgspec.json.encode


class Opening:
    """Hold a beginning. text: up to the quote of the second key. start, stop: where the model's name is in it."""

    __slots__ = ("model", "size", "start", "stop", "text")

    def __init__(self, text: bytes, model: str, start: int, stop: int) -> None:
        """Keep where the parts are."""
        self.text = text
        self.size = len(text)
        self.model = model
        self.start = start
        self.stop = stop

    def read(self, request: Request) -> Facts | None:
        """Read a request whose body begins so, and note its rest; None: it is to be read as a whole."""
        body = request.body
        if not body.startswith(self.text):
            return None
        rest = body[self.size :]
        try:
            facts = decode_rest(b'{"' + rest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if facts.model is not UNSET:
            return None
        facts.model = self.model
        request.opening = self
        request.rest = rest
        return facts

    def naming(self, model: str) -> bytes:
        """Return the beginning with another model, written as `with_model` writes it."""
        if model == self.model:
            return self.text
        return self.text[: self.start] + _encode(model)[1:-1] + self.text[self.stop :]


def opening_of(body: bytes, facts: Facts) -> Opening | None:
    """Return how a body begins, which was read as `facts`; None: not in the way that can be known again."""
    found = _BEGINS.match(body)
    if found is None or found.end() > _LONGEST or facts.model is None or found[1] != facts.model.encode():
        return None
    return Opening(found[0], facts.model, found.start(1), found.end(1))
