"""With the database away the control plane says so, and takes no webhook that it cannot remember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from gatekeeper.settings import Settings
from gatekeeper.wiring import make_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gatekeeper.wiring import App

ALERTS = {"version": "4", "groupKey": "g", "status": "firing", "alerts": []}


def test_a_database_away_is_a_503_that_asks_to_come_back(serve: Callable[[App], str], tmp_path: Path):
    settings = Settings(database_url=f"sqlite:///{tmp_path}/nowhere/gatekeeper.db", hook_token="t" * 20)
    url = serve(make_app(settings))
    headers = {"authorization": f"Bearer {settings.hook_token}"}
    assert httpx.get(f"{url}/healthz").status_code == 200
    for answer in (
        httpx.get(f"{url}/readyz"),
        httpx.get(f"{url}/v1/rollouts", headers=headers),
        httpx.post(f"{url}/v1/hooks/alertmanager", json=ALERTS, headers=headers),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]
