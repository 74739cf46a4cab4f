"""The splits a gateway follows: fed in process or by polling the control plane, remembered on disk."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import httpx

from gatekeeper.adapters import _splitfile
from gatekeeper.errors import InputError
from gatekeeper.model.split import Split
from gatekeeper.model.wire import from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)
_MAX_AGE_S = 24 * 3600.0
_MAX_BACKOFF_S = 5.0


class SplitFeed:
    """Hold the newest split of each service; safe to read from any thread.

    Only a split with a greater (epoch, version) replaces one that is held, so that a late message cannot undo a
    rollback. With a path, every change is written there, and the file is read once at the start: after a restart
    without a control plane the gateway goes on where it was, and never further. splits: by service; another mapping
    after every change.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        initial: Iterable[Split] = (),
        max_age_s: float = _MAX_AGE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Start from `initial` and the file at `path`; the newer of the two is held for each service."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self.splits: Mapping[str, Split] = {}
        self._unapplied: set[str] = set()
        self.stale = False
        for split in initial:
            self._take(split)
        for remembered in _splitfile.read(path, now(), max_age_s) if path is not None else ():
            if self._take(remembered.split):
                self.stale = True
                if not remembered.applied:
                    self._unapplied.add(remembered.split.service)

    def get(self, service: str) -> Split | None:
        """Return the service's split; None: the service is not known here."""
        return self.splits.get(service)

    def all(self) -> tuple[Split, ...]:
        """Return the split of every known service, by name."""
        return tuple(split for _, split in sorted(self.splits.items()))

    def orders(self) -> dict[str, tuple[int, int]]:
        """Return the (epoch, version) applied by service; a split that was too old to be applied is left out."""
        with self._lock:
            return {name: split.order for name, split in self.splits.items() if name not in self._unapplied}

    def update(self, splits: Iterable[Split]) -> tuple[Split, ...]:
        """Take what supersedes what is held; return what was taken. The control plane has spoken: not stale."""
        with self._lock:
            taken = tuple(split for split in splits if self._take(split))
            self.stale = False
            if taken and self._path is not None:
                self._remember(self._path)
        return taken

    def _take(self, split: Split) -> bool:
        held = self.splits.get(split.service)
        same_again = held is not None and split.service in self._unapplied and split.order == held.order
        if not (same_again or split.supersedes(held)):
            return False
        self.splits = {**self.splits, split.service: split}
        self._unapplied.discard(split.service)
        return True

    def _remember(self, path: Path) -> None:
        try:
            _splitfile.write(path, self.splits.values(), self._now())
        except OSError as exc:
            log.warning("split file %s not written: %s", path, exc)


class HttpSplitFeed:
    """Poll the control plane for splits, and tell it which ones this gateway applies."""

    def __init__(
        self,
        feed: SplitFeed,
        *,
        api_url: str,
        api_key: str,
        gateway_id: str,
        every_s: float = 0.5,
        timeout_s: float = 5.0,
    ) -> None:
        """Keep where to ask; `start` begins."""
        self._feed = feed
        self._every_s = every_s
        self._gateway_id = gateway_id
        self._etag = ""
        self._client = httpx.Client(
            base_url=api_url.rstrip("/"), headers={"authorization": f"Bearer {api_key}"}, timeout=timeout_s
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="splitfeed", daemon=True)

    def start(self) -> None:
        """Begin to poll in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; returns when the thread has ended."""
        self._stop.set()
        self._thread.join()
        self._client.close()

    def poll(self) -> tuple[Split, ...]:
        """Ask once; return what was taken.

        Raises:
            httpx.HTTPError: the control plane is away or refused.
            InputError: it answered with something that is not a list of splits.
        """
        seen = ",".join(f"{name}:{epoch}.{version}" for name, (epoch, version) in self._feed.orders().items())
        headers = {"if-none-match": self._etag} if self._etag else {}
        answer = self._client.get("/v1/splits", params={"gateway": self._gateway_id, "seen": seen}, headers=headers)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return self._feed.update(())
        answer.raise_for_status()
        try:
            splits = [from_dict(Split, plain) for plain in answer.json()["splits"]]
        except (ValueError, KeyError, TypeError) as exc:
            raise InputError(f"{answer.request.url}: expected {{'splits': [...]}}: {exc!r}") from exc
        self._etag = answer.headers.get("etag", "")
        return self._feed.update(splits)

    def _run(self) -> None:
        wait_s = self._every_s
        failing = False
        while not self._stop.is_set():
            try:
                self.poll()
            except (httpx.HTTPError, InputError) as exc:
                if not failing:
                    log.warning("control plane not followed, the last splits stay in force: %s", exc)
                failing = True
                wait_s = min(wait_s * 2, _MAX_BACKOFF_S)
            else:
                if failing:
                    log.warning("control plane followed again")
                failing = False
                wait_s = self._every_s
            self._stop.wait(wait_s)
