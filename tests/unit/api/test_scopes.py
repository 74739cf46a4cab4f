"""Every route refuses strangers, and keys whose scope does not reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

from gatekeeper.api.app import make_api
from gatekeeper.flow.keys import mint
from gatekeeper.model.key import Scope

if TYPE_CHECKING:
    from conftest import World

OPEN = {"/healthz", "/readyz"}
ADMIN_ONLY = ("/v1/keys", "/v1/webhooks")
INGEST_ONLY = {"/v1/exchanges", "/v1/splits"}


def routes(world: World) -> list[tuple[str, str]]:
    api = make_api(world.app)
    found = [route for route in api.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in found for method in sorted(route.methods)]


def filled(path: str) -> str:
    return path.replace("{source}", "alertmanager").replace("{", "").replace("}", "")


def test_walk_finds_the_routes_there_are(world: World):
    paths = {path for _, path in routes(world)}
    assert len(paths) > 30
    assert paths >= {*OPEN, *INGEST_ONLY, "/metrics", "/openapi.json", "/v1/rollouts/{rollout_id}/events"}


def test_strangers_are_refused_everywhere(world: World):
    http = world.http(None)
    for method, path in routes(world):
        for headers in ({}, {"authorization": "Bearer gk_live_00_00"}, {"authorization": "Basic Zm9vOmJhcg=="}):
            answer = http.request(method, filled(path), headers=headers)
            assert answer.status_code == (200 if path in OPEN else 401), (method, path, headers)
            if path not in OPEN:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"] == "Bearer"


def reaches(scope: Scope, method: str, path: str) -> bool:
    action = path.rpartition("/")[2]
    if path in INGEST_ONLY:
        allowed = {Scope.INGEST}
    elif path.startswith(ADMIN_ONLY):
        allowed = set()
    elif method == "GET" or path == "/v1/policies:validate":
        allowed = {Scope.VIEWER, Scope.OPERATOR, Scope.APPROVER}
    elif action in {"approve", "promote", "skip"}:
        allowed = {Scope.APPROVER}
    elif action in {"pause", "resume", "rollback"}:
        allowed = {Scope.OPERATOR, Scope.APPROVER}
    else:
        allowed = {Scope.OPERATOR}
    return scope in allowed | {Scope.ADMIN}


@pytest.mark.parametrize("scope", list(Scope))
def test_scopes_reach_what_they_should_and_no_more(world: World, scope: Scope):
    http = world.http(scope)
    for method, path in routes(world):
        if path in OPEN or path.startswith("/v1/hooks"):
            continue
        answer = http.request(method, filled(path))
        assert (answer.status_code == 403) is not reaches(scope, method, path), (method, path, answer.text)


def test_a_revoked_key_is_a_stranger(world: World):
    with world.app.unit() as unit:
        key, text = mint(unit, "leaver", Scope.VIEWER)
    asked = {"authorization": f"Bearer {text}"}
    assert world.http(None).get("/v1/rollouts", headers=asked).status_code == 200
    world.client().revoke_key(key.id)
    assert world.http(None).get("/v1/rollouts", headers=asked).status_code == 401
