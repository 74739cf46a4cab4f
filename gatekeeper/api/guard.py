"""The door: strangers and oversized bodies are refused before any route runs, so that no route can forget to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from gatekeeper.api import problems
from gatekeeper.errors import AccessError, GatekeeperError
from gatekeeper.flow import keys

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gatekeeper.model.key import ApiKey
    from gatekeeper.wiring import App

OPEN_PATHS = ("/healthz", "/readyz")
OWN_PROOF = "/v1/hooks/"
"""Paths whose routes check a signature or token themselves."""

MOST_BYTES = 2 * 1024 * 1024
MOST_BATCH_BYTES = 64 * 1024 * 1024
BATCH_PATHS = ("/v1/exchanges",)


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header.

    Raises:
        AccessError: there is none, or it is not a bearer token.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AccessError("no API key: send `Authorization: Bearer gk_...` (`gatekeeper key create` makes one)")
    return token.strip()


class Door:
    """Wrap an ASGI app: cap the body, then find the caller's key and put it into the request's state."""

    def __init__(self, inner: ASGIApp, app: App) -> None:
        """Keep the wrapped app and the store that knows the keys."""
        self._inner = inner
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request = Request(scope)
        path = request.url.path
        most = MOST_BATCH_BYTES if path in BATCH_PATHS else MOST_BYTES
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most:
            await _too_large(path, most)(scope, receive, send)
            return
        if path not in OPEN_PATHS and not path.startswith(OWN_PROOF):
            try:
                token = bearer(request.headers.get("authorization", ""))
                request.state.key = await to_thread.run_sync(self._known, token)
            except GatekeeperError as exc:
                await problems.problem_of(exc, path)(scope, receive, send)
                return
        await self._inner(scope, _capped(receive, most), send)

    def _known(self, token: str) -> ApiKey:
        with self._app.read() as unit:
            return keys.authenticate(unit, token)


def _capped(receive: Receive, most: int) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, f"the body is larger than {most} bytes")
        return message

    return counted


def _too_large(path: str, most: int) -> JSONResponse:
    detail = f"the body is larger than {most} bytes, or its content-length is no number"
    body = {"type": "about:blank", "title": "Content Too Large", "status": 413, "detail": detail, "instance": path}
    return JSONResponse(body, status_code=413, media_type=problems.MEDIA_TYPE, headers={"connection": "close"})
