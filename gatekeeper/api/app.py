"""The control plane's ASGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from gatekeeper.api import catalog, evidence, gates, health, hooks, ingest, keys, problems, rollouts, webhooks
from gatekeeper.api.guard import Door

if TYPE_CHECKING:
    from gatekeeper.wiring import App

POLL_S = 0.5


def make_api(app: App, *, poll_s: float = POLL_S) -> FastAPI:
    """Return the API over what wiring put together.

    poll_s: how often a stream of events looks at the store.
    """
    api = FastAPI(title="gatekeeper", version="1", openapi_url=None, docs_url=None, redoc_url=None)
    api.state.gatekeeper = app
    api.state.poll_s = poll_s
    api.state.refused_lines = 0
    for part in (health, catalog, rollouts, gates, evidence, ingest, keys, webhooks, hooks):
        api.include_router(part.routes)
    problems.install(api)
    api.add_middleware(Door, app=app)
    return api
