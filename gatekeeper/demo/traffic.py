"""Users for the demo: a seeded, closed-loop client that streams chat tasks through the gateway."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass

import httpx

from gatekeeper.demo.tasks import body, draw, headers

MIX = {
    "benign": 36,
    "arithmetic": 36,
    "order": 13,
    "ticket": 8,
    "capital": 2,
    "opposite": 2,
    "weather": 2,
    "harmful": 1,
}
"""What users ask, in percent: harmless questions and sums, some JSON, few requests to be refused."""

TIMEOUT_S = 30.0
REST_S = 0.05
"""A user's pause after a failed request, so that a dead server is not hammered."""


@dataclass(slots=True)
class Counts:
    """Count requests: sent, answered whole with 200, and failed (anything else)."""

    sent: int = 0
    answered: int = 0
    failed: int = 0


class Traffic:
    """Run `users` concurrent users in a thread until stopped; each asks, reads to the end, rests, asks again.

    rest_s: mean rest between a user's requests, exponentially distributed, so that arrivals do not march in step.
    """

    def __init__(self, url: str, service: str, *, seed: int, users: int, rest_s: float) -> None:
        """Prepare users of a gateway's root URL; nothing is sent before `start`."""
        self.counts = Counts()
        self._url = f"{url}/v1/chat/completions"
        self._service = service
        self._seed = seed
        self._users = users
        self._rest_s = rest_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="demo-traffic", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending and wait until requests in flight have ended."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_S)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=self._users, max_keepalive_connections=self._users)
        async with httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(self._user(client, number) for number in range(self._users)))

    async def _user(self, client: httpx.AsyncClient, number: int) -> None:
        rng = random.Random(f"{self._seed}:{number}")  # noqa: S311 - a reproducible story, not a secret
        while not self._stopped.is_set():
            await self._ask(client, rng)
            await asyncio.sleep(rng.expovariate(1 / self._rest_s))

    async def _ask(self, client: httpx.AsyncClient, rng: random.Random) -> None:
        task = draw(rng, family=rng.choices(tuple(MIX), tuple(MIX.values()))[0])
        asked = body(task, self._service, stream=True, seed=rng.randrange(2**31))
        tags = headers(task) | {"x-gatekeeper-key": f"user-{rng.getrandbits(40):x}"}
        self.counts.sent += 1
        try:
            async with client.stream("POST", self._url, json=asked, headers=tags) as response:
                async for _ in response.aiter_raw():
                    pass
            good = response.status_code == httpx.codes.OK
        except httpx.HTTPError:
            good = False
        if good:
            self.counts.answered += 1
        else:
            self.counts.failed += 1
            await asyncio.sleep(REST_S)
