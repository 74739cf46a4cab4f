"""The review screens as an ASGI application: Streamlit behind headers that let no page call anywhere else.

`streamlit run server.py` serves it. Model output is shown inertly; should any ever get through, the browser itself
refuses to load what it names.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SOURCES = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "style-src": "'self' 'unsafe-inline'",
    "script-src": "'self' 'unsafe-eval' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "connect-src": "'self' ws: wss:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
"""Vega compiles its expressions ('unsafe-eval') and Streamlit styles inline; everything else is our own origin."""

HEADERS = {
    "content-security-policy": "; ".join(f"{kind} {allowed}" for kind, allowed in SOURCES.items()),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
WATCH_S = 0.5


class Headers:
    """Add our headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with our headers."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, headed if scope["type"] == "http" else send)


@asynccontextmanager
async def _lifespan(_app: object) -> AsyncIterator[None]:
    watching = asyncio.create_task(_end_with(int(os.environ.get("GATEKEEPER_UI_PARENT", "0"))))
    yield
    watching.cancel()


async def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, however it went; 0 watches nobody."""
    while True:
        await asyncio.sleep(WATCH_S)
        if parent and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(Headers)], lifespan=_lifespan)
