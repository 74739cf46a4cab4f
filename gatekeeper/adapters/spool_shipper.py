"""Sending a spool to the control plane: at least once, in order, and only forgotten when it was taken or put aside."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

import msgspec

from gatekeeper.adapters._losses import Losses, boot_name
from gatekeeper.adapters._post import FilePart, Poster
from gatekeeper.adapters._quarantine import Quarantine
from gatekeeper.captures.frames import MEDIA_TYPE, ends, frames_of, read_frame, split_frames
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.spool_reader import Batch, SpoolReader

log = logging.getLogger(__name__)
_MAX_BACKOFF_S = 30.0
_FINE, _MOVED, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500
_NOT_OF_THE_CAPTURES = frozenset((401, 403, 404, 405, 407, 408, 421, 425, 426, 429))
"""Refusals for the key, the address or the pace: another try may pass, and other captures would fare no better."""


def _named(answer: bytes) -> list[tuple[int, str]]:
    """Return the captures (from 1) that the answer names as refused, each with its reason."""
    try:
        plain = msgspec.json.decode(answer)
        return [(int(one["line"]), str(one["message"])) for one in plain["refused"]]
    except (ValueError, KeyError, TypeError):
        return []


class Shipper:
    """POST a spool's batches as they are to `{api_url}/v1/exchanges` from a thread of its own.

    A batch is committed on a 2xx answer. One that is refused for its captures (400, 413, 422, ...) is sent by halves,
    until those that will never be taken are alone. They, and captures that a 2xx answer names as refused, are put aside
    in the spool's `refused` folder, counted and logged; the control plane is told that their stages lack them, and the
    rest goes on. On anything else the batch is sent again, after a wait that doubles. The receiver tells repeated
    exchanges by their id.
    """

    def __init__(
        self,
        reader: SpoolReader,
        *,
        api_url: str,
        api_key: str,
        gateway_id: str,
        every_s: float = 0.25,
        most: int = 2_000,
        timeout_s: float = 15.0,
    ) -> None:
        """Keep what to send and where; `start` begins."""
        self._reader = reader
        self._every_s = every_s
        self._most = most
        self._url = f"{api_url.rstrip('/')}/v1/exchanges"
        headers = {
            "authorization": f"Bearer {api_key}",
            "content-type": MEDIA_TYPE,
            "x-gatekeeper-gateway": gateway_id,
        }
        self._poster = Poster(self._url, headers, timeout_s)
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
        self._poster.close()

    def counts(self) -> dict[str, int]:
        """Return shipped, refused and refused_dropped (those of them that could not be put aside), since the start."""
        aside = self.quarantine
        return {"shipped": self.shipped, "refused": aside.refused, "refused_dropped": aside.dropped}

    def ship(self) -> int:
        """Send everything that waits; return the number of captures taken. Ends at the first batch that is not."""
        taken = 0
        for batch in self._reader.batches(self._most):
            refused: list[bytes] = []
            if not self._send(batch.part, batch.count, refused):
                break
            if refused:
                self._put_aside(batch, refused)
            batch.commit()
            taken += batch.count - len(refused)
        self.shipped += taken
        self._tell_losses()
        return taken

    def _put_aside(self, batch: Batch, refused: Sequence[bytes]) -> None:
        self.quarantine.put(f"{batch.segment.stem}-{batch.end}.jsonl", map(_shown, refused), self.refusal)
        for frame in refused:
            with contextlib.suppress(InputError):
                self._losses.add([read_frame(frame).place])

    def _tell_losses(self) -> None:
        for notice in self._losses.take():
            if not self._send(frames_of([notice]), 1, []):
                self._losses.give_back(notice)

    def _send(self, body: bytes | FilePart, count: int, refused: list[bytes]) -> bool:
        """Send frames; False: try again later. Those that will never be taken are added to `refused`."""
        status, problem = self._post(body, refused)
        if not problem:
            self.failure = ""
            return True
        if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _NOT_OF_THE_CAPTURES:
            self.refusal = problem
            data = _read(body)
            if count == 1:
                refused += split_frames(data)
                return True
            half = ends(data, count // 2)
            return self._send(data[: half[-1]], len(half), refused) and self._send(
                data[half[-1] :], count - len(half), refused
            )
        if not self.failure:
            log.warning("exchanges stay in the spool: %s", problem)
        self.failure = problem
        return False

    def _post(self, body: bytes | FilePart, refused: list[bytes]) -> tuple[int, str]:
        """Return the answer's status (0: there was none) and what was wrong; "" when the frames were read."""
        try:
            status, answer = self._poster.post(body)
        except OSError as exc:
            return 0, f"{self._url}: {exc}"
        if not _FINE <= status < _MOVED:
            return status, f"{self._url} answered {status}: {answer[:200].decode(errors='replace')}"
        if named := _named(answer):
            frames = list(split_frames(_read(body)))
            for number, message in named:
                if 1 <= number <= len(frames):
                    refused.append(frames[number - 1])
                    self.refusal = f"capture {number}: {message}"
        return status, ""

    def _run(self) -> None:
        wait_s = self._every_s
        while not self._stop.wait(wait_s):
            self.ship()
            wait_s = min(wait_s * 2, _MAX_BACKOFF_S) if self.failure else self._every_s
        self.ship()


def _read(body: bytes | FilePart) -> bytes:
    return body if isinstance(body, bytes) else body.read()


def _shown(frame: bytes) -> bytes:
    """Return a frame as a line of JSON, for people to look at; bytes are in base64."""
    try:
        return msgspec.json.encode(msgspec.structs.asdict(read_frame(frame)))
    except InputError:
        return msgspec.json.encode(frame)
