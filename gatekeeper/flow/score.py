"""Exchanges in, samples out: line by line, losing none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gatekeeper.errors import Fault, InputError
from gatekeeper.metrics._scoring import score_exchange, with_own
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.wire import from_dict, sample_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gatekeeper.model.sample import Sample
    from gatekeeper.ports import Scorers


def score_lines(lines: Iterable[bytes], file: str, own: Scorers | None = None) -> Iterator[dict[str, Any] | Fault]:
    """Yield each line's sample with its `labels`, or the fault for which it has none; blank lines are passed over.

    own: users' own scorers.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            exchange = read_exchange(line)
        except InputError as exc:
            yield Fault(str(exc), file=file, line=number)
            continue
        sample, labels = scored(exchange, own)
        yield {**sample_to_dict(sample), "labels": labels}


def scored(exchange: Exchange, own: Scorers | None) -> tuple[Sample, dict[str, Any]]:
    """Score one exchange by every metric, and by users' own scorers where it was answered."""
    sample, labels = score_exchange(exchange)
    if own is None or sample.error:
        return sample, labels
    return with_own(sample, labels, own.score(exchange))


def read_exchange(line: bytes) -> Exchange:
    """Read one exchange.

    Raises:
        InputError: the line is not JSON, or no exchange.
    """
    try:
        plain = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise InputError(f"found a line that is not JSON ({exc}), expected an exchange as one object") from exc
    if not isinstance(plain, dict):
        raise InputError(f"found {type(plain).__name__}, expected an exchange: an object with id, ts and arm")
    if isinstance(plain.get("ts"), str):
        plain["ts"] = _unix_s(plain["ts"])
    return from_dict(Exchange, {key: value for key, value in plain.items() if value is not None})


def _unix_s(text: str) -> float:
    """Return unix seconds of an RFC 3339 time; without an offset it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InputError(f"ts: found {text[:40]!r}, expected unix seconds or an RFC 3339 time") from exc
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
