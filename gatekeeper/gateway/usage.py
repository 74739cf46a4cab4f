"""Usage of streams whose client did not ask for it: asked for on the way up, taken out on the way down."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from gatekeeper.captures.fold import events

PATHS = ("/v1/chat/completions", "/v1/completions")
"""Endpoints that know `stream_options`."""

REFUSED = (400, 422)
"""Statuses with which an engine may say that it does not know `stream_options`."""

_MEMBER = b'"stream_options":{"include_usage":true},'
_EVENT_END = re.compile(rb"(?>\r\n|\n|\r){2}")
_END_BYTES = 3
"""Of an event's end that may have come with an earlier read: it has four bytes at most."""
_MOST_HELD = 8 << 10
"""Bytes of a half event that are held back: an event of usage is far shorter."""


class _Chunk(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None
    usage: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def asking(body: bytes) -> bytes:
    """Return a request's body (a JSON object without `stream_options`) with usage asked for; the rest is as it was."""
    start = body.index(b"{") + 1
    return body[:start] + _MEMBER + body[start:]


class Strip:
    """Take out of a stream the event that holds usage and nothing else; every other byte passes, in its order.

    A half event waits for its end, which no client could have read before; one too long to be of usage does not wait.
    clear: it stands between two events; then a read that ends one and does not say "usage" passes as it is.
    """

    __slots__ = ("_after_cr", "_held", "_long", "clear")

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held = b""
        self._long = self._after_cr = False
        self.clear = True

    def feed(self, data: bytes, *, ended: bool) -> bytes:
        """Take a read; return what the client may have of all that came. ended: nothing more comes."""
        passed = data if self._passes(data) else self._look(data, ended=ended)
        self.clear = not (self._held or self._long or self._after_cr)
        return passed

    def _passes(self, data: bytes) -> bool:
        """Tell whether a read is whole events, none of usage (the word is not there, or once, with null)."""
        if self._held or self._long or self._after_cr or not data.endswith(b"\n\n"):
            return False
        said = data.count(b"usage")
        return not said or (said == 1 and b'"usage":null' in data)

    def _look(self, data: bytes, *, ended: bool) -> bytes:
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        looked_at = max(len(self._held) - _END_BYTES, 0)
        data = self._held + data
        self._held = b""
        passed = bytearray()
        start = 0
        for found in _EVENT_END.finditer(data, looked_at):
            event = data[start : found.end()]
            if self._long or not _only_usage(event):
                passed += event
            else:
                self._after_cr = found.end() == len(data) and event.endswith(b"\r")
            self._long = False
            start = found.end()
        rest = data[start:]
        if ended:
            return bytes(passed) if _only_usage(rest + b"\n\n") else bytes(passed) + rest
        if self._long or len(rest) > _MOST_HELD:
            self._long = True
            text = rest.rstrip(b"\r\n")
            passed += text
            rest = rest[len(text) :]
        self._held = rest
        return bytes(passed)


def _only_usage(event: bytes) -> bool:
    if b"usage" not in event:
        return False
    found = events(event)
    if len(found) != 1:
        return False
    try:
        chunk = _decode(found[0][1])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return chunk.choices == [] and chunk.usage is not None
