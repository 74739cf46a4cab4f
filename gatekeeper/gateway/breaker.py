"""Stop asking a candidate that does not answer; ask again, one request at a time, after a while."""

from __future__ import annotations

from gatekeeper.model.exchange import Failure


class Breaker:
    """Open after some failures in a row; while open, let one probe through each `open_s`; close on its success."""

    def __init__(self, failures: int, open_s: float) -> None:
        """Keep how many failures in a row open it, and for how long."""
        self._allowed = failures
        self._open_s = open_s
        self._in_a_row = 0
        self._closed = True
        self._probe_at = 0.0
        self._last_kind = "connect"

    @property
    def open(self) -> bool:
        """Tell whether requests are kept away."""
        return not self._closed

    def allows(self, now: float) -> bool:
        """Tell whether a request may be sent at `now` (monotonic seconds); a yes while open is the one probe."""
        if self._closed:
            return True
        if now < self._probe_at:
            return False
        self._probe_at = now + self._open_s
        return True

    def succeeded(self) -> None:
        """Close."""
        self._in_a_row = 0
        self._closed = True

    def failed(self, kind: str, now: float) -> None:
        """Count a failure of this kind; open when there were enough in a row."""
        self._last_kind = kind
        self._in_a_row += 1
        if self._in_a_row >= self._allowed:
            self._closed = False
            self._probe_at = now + self._open_s

    def refusal(self) -> Failure:
        """Return the failure of a request that was not sent: of the kind that opened the breaker."""
        return Failure(kind=self._last_kind, message=f"not asked: it failed {self._in_a_row} times in a row")
