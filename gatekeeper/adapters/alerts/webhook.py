"""Webhooks out: signed as Standard Webhooks has it, to the address that was checked and to no other."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from gatekeeper.adapters import signatures
from gatekeeper.adapters.alerts import _addresses
from gatekeeper.errors import GoneError, InputError, WorldError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from gatekeeper.adapters.alerts._addresses import Resolver
    from gatekeeper.model.action import OutboxItem
    from gatekeeper.ports import Clock

TIMEOUT_S = 15.0
LONGEST_WAIT_S = 86_400.0

check_url = _addresses.check_url


class Sink:
    """Deliver outbox items whose body holds `{url, secret, event, payload}`."""

    def __init__(self, clock: Clock, *, allow_private: bool = False, resolver: Resolver = _addresses.resolve) -> None:
        """Keep what is handed in and one pool of connections, without proxies and redirects."""
        self._clock = clock
        self._allow_private = allow_private
        self._resolver = resolver
        self._http = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        """Return the sink itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, item: OutboxItem) -> float | None:
        """Post one event; None when a 2xx came back, else the seconds the receiver asks to wait.

        Raises:
            GoneError: the receiver answered 410.
            WorldError: it was not delivered: no address, refused address, no answer, or no 2xx.
        """
        try:
            request = self._request(item.body)
        except InputError as exc:
            raise WorldError(f"this webhook cannot be called: {exc}") from exc
        try:
            with self._http.stream(**request) as answer:
                status, asked = answer.status_code, answer.headers.get("retry-after", "")
        except httpx.HTTPError as exc:
            raise WorldError(f"no answer: {type(exc).__name__}: {exc}") from exc
        if status == httpx.codes.GONE:
            raise GoneError("the receiver answered 410: it wants no more")
        if httpx.codes.is_success(status):
            return None
        if (wait_s := self._asked_s(asked)) > 0:
            return wait_s
        raise WorldError(f"the receiver answered {status}, not 2xx")

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        url = _addresses.check_url(body["url"], allow_private=self._allow_private)
        host = url.hostname or ""
        port = url.port or (443 if url.scheme == "https" else 80)
        address = _addresses.pin(host, port, self._resolver, allow_private=self._allow_private)
        text = json.dumps(body["payload"], separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        headers = signatures.sign(body["secret"], body["event_id"], self._clock.now(), text)
        name = f"[{host}]" if ":" in host else host
        return {
            "method": "POST",
            "url": httpx.URL(url.geturl()).copy_with(host=address, port=port),
            "content": text.encode(),
            "headers": {
                **headers,
                "host": name if url.port is None else f"{name}:{port}",
                "content-type": "application/json",
                "user-agent": "gatekeeper-webhook/1",
            },
            "extensions": {"sni_hostname": host},
        }

    def _asked_s(self, text: str) -> float:
        """Return the seconds of a Retry-After header, a number or a date; 0 when it has none that can be read."""
        if text.isascii() and text.isdigit():
            return min(float(text), LONGEST_WAIT_S)
        try:
            when = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return 0.0
        return min(max(when - self._clock.now(), 0.0), LONGEST_WAIT_S)
