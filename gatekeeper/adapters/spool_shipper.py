"""Sending a spool to the control plane: at least once, in order, and only forgotten when it was taken."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from gatekeeper.adapters.spool_reader import Batch, SpoolReader

log = logging.getLogger(__name__)
_MAX_BACKOFF_S = 30.0


class Shipper:
    """POST a spool's batches as JSONL to `{api_url}/v1/exchanges` from a thread of its own.

    A batch is committed on a 2xx answer alone; on anything else it is sent again, after a wait that doubles. The
    receiver tells repeated exchanges by their id.
    """

    def __init__(
        self,
        reader: SpoolReader,
        *,
        api_url: str,
        api_key: str,
        gateway_id: str,
        every_s: float = 0.25,
        max_lines: int = 500,
        timeout_s: float = 15.0,
    ) -> None:
        """Keep what to send and where; `start` begins."""
        self._reader = reader
        self._every_s = every_s
        self._max_lines = max_lines
        self._url = f"{api_url.rstrip('/')}/v1/exchanges"
        self._client = httpx.Client(
            headers={
                "authorization": f"Bearer {api_key}",
                "content-type": "application/x-ndjson",
                "x-gatekeeper-gateway": gateway_id,
            },
            timeout=timeout_s,
        )
        self.shipped = 0
        self.failure = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        """Begin to send in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is there once more, then end; what the control plane does not take stays on disk."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def ship(self) -> int:
        """Send everything that waits; return the number of lines taken. Ends at the first batch that is not taken."""
        taken = 0
        for batch in self._reader.batches(self._max_lines):
            if not self._send(batch):
                break
            batch.commit()
            taken += len(batch.lines)
        self.shipped += taken
        return taken

    def _send(self, batch: Batch) -> bool:
        try:
            answer = self._client.post(self._url, content=b"\n".join(batch.lines) + b"\n")
            problem = "" if answer.is_success else f"{self._url} answered {answer.status_code}: {answer.text[:200]}"
        except httpx.HTTPError as exc:
            problem = f"{self._url}: {exc!r}"
        if problem and not self.failure:
            log.warning("exchanges stay in the spool: %s", problem)
        self.failure = problem
        return not problem

    def _run(self) -> None:
        wait_s = self._every_s
        while not self._stop.wait(wait_s):
            self.ship()
            wait_s = min(wait_s * 2, _MAX_BACKOFF_S) if self.failure else self._every_s
        self.ship()
