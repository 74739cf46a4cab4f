"""Sending a spool to the control plane: at least once, in order, and only forgotten when it was taken or put aside."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import httpx
import orjson

from gatekeeper.adapters._losses import Losses, boot_name
from gatekeeper.adapters._quarantine import Quarantine
from gatekeeper.adapters.spool_reader import read_line
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gatekeeper.adapters.spool_reader import Batch, SpoolReader

log = logging.getLogger(__name__)
_MAX_BACKOFF_S = 30.0
_PIECE_BYTES = 64 << 10
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_NOT_OF_THE_LINES = frozenset((401, 403, 404, 405, 407, 408, 421, 425, 426, 429))
"""Refusals for the key, the address or the pace: another try may pass, and other lines would fare no better."""


def _named(answer: httpx.Response) -> list[tuple[int, str]]:
    """Return the lines (from 1) that the answer names as refused, each with its reason."""
    try:
        plain = answer.json()
        return [(int(one["line"]), str(one["message"])) for one in plain["refused"]]
    except (ValueError, KeyError, TypeError):
        return []


class Shipper:
    """POST a spool's batches as JSONL to `{api_url}/v1/exchanges` from a thread of its own.

    A batch is committed on a 2xx answer. One that is refused for its lines (400, 413, 422, ...) is sent by halves,
    until the lines that will never be taken are alone. They, and lines that a 2xx answer names as refused, are put
    aside in the spool's `refused` folder, counted and logged; the control plane is told that their stages lack them,
    and the rest goes on. On anything else the batch is sent again, after a wait that doubles. The receiver tells
    repeated exchanges by their id.
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
        self.quarantine = Quarantine(reader.directory / "refused")
        self._losses = Losses(boot_name())
        self.failure = ""
        self.refusal = ""
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

    def counts(self) -> dict[str, int]:
        """Return shipped, refused and refused_dropped (those of them that could not be put aside), since the start."""
        aside = self.quarantine
        return {"shipped": self.shipped, "refused": aside.refused, "refused_dropped": aside.dropped}

    def ship(self) -> int:
        """Send everything that waits; return the number of lines taken. Ends at the first batch that is not taken."""
        taken = 0
        for batch in self._reader.batches(self._max_lines):
            refused: list[bytes] = []
            if not self._send(batch.lines, refused):
                break
            if refused:
                self._put_aside(batch, refused)
            batch.commit()
            taken += len(batch.lines) - len(refused)
        self.shipped += taken
        self._tell_losses()
        return taken

    def _put_aside(self, batch: Batch, refused: Sequence[bytes]) -> None:
        self.quarantine.put(f"{batch.segment.stem}-{batch.end}.jsonl", refused, self.refusal)
        exchanges = [exchange for exchange in map(read_line, refused) if exchange is not None]
        self._losses.add(exchange.place for exchange in exchanges)

    def _tell_losses(self) -> None:
        notices = self._losses.take()
        lines = tuple(orjson.dumps(to_dict(notice)) for notice in notices)
        if notices and not self._send(lines, []):
            self._losses.give_back(notices)

    def _send(self, lines: Sequence[bytes], refused: list[bytes]) -> bool:
        """Send lines; False: try again later. Those that will never be taken are added to `refused`."""
        status, problem = self._post(lines, refused)
        if not problem:
            self.failure = ""
            return True
        if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _NOT_OF_THE_LINES:
            self.refusal = problem
            if len(lines) == 1:
                refused += lines
                return True
            half = len(lines) // 2
            return self._send(lines[:half], refused) and self._send(lines[half:], refused)
        if not self.failure:
            log.warning("exchanges stay in the spool: %s", problem)
        self.failure = problem
        return False

    def _post(self, lines: Sequence[bytes], refused: list[bytes]) -> tuple[int, str]:
        """Return the answer's status (0: there was none) and what was wrong; "" when the lines were read."""
        try:
            body = b"\n".join(lines) + b"\n"
            answer = self._client.post(self._url, content=_pieces(body), headers={"content-length": str(len(body))})
        except httpx.HTTPError as exc:
            return 0, f"{self._url}: {exc!r}"
        if not answer.is_success:
            return answer.status_code, f"{self._url} answered {answer.status_code}: {answer.text[:200]}"
        for number, message in _named(answer):
            if 1 <= number <= len(lines):
                refused.append(lines[number - 1])
                self.refusal = f"line {number}: {message}"
        return answer.status_code, ""

    def _run(self) -> None:
        wait_s = self._every_s
        while not self._stop.wait(wait_s):
            self.ship()
            wait_s = min(wait_s * 2, _MAX_BACKOFF_S) if self.failure else self._every_s
        self.ship()


def _pieces(body: bytes) -> Iterator[bytes]:
    """Cut a body into pieces that the socket takes at once: of a longer one the client copies the rest each time."""
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]
