"""Logging: one line an event on stderr, plain for people or JSON for machines; never a prompt or an answer."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LOG = logging.getLogger("gatekeeper")


class JsonLines(logging.Formatter):
    """Format a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return ts, level, logger and message, and the exception where there is one."""
        line = {
            "ts": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(*, level: str = "INFO", as_json: bool = False) -> None:
    """Send our own logs to stderr; called once, by an entrance."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    LOG.handlers[:] = [handler]
    LOG.setLevel(level)
    LOG.propagate = False
