"""Freeze windows: when nothing goes forward. Rollback never asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gatekeeper.errors import InputError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SHAPE = re.compile(r"(\w{3}) (\d\d):(\d\d)/(\w{3}) (\d\d):(\d\d)(?: ([A-Za-z0-9_+\-/]+))?")
_MINUTES_PER_DAY = 1440
_HOURS, _MINUTES = 24, 60


@dataclass(frozen=True, slots=True)
class Window:
    """Hold one weekly window: minutes since Monday 00:00 in its own time zone, end before start when it wraps."""

    start_min: int
    end_min: int
    zone: str
    text: str

    def holds(self, now_s: float) -> bool:
        """Tell whether unix time `now_s` falls into the window."""
        local = datetime.fromtimestamp(now_s, tz=UTC).astimezone(ZoneInfo(self.zone))
        minute = local.weekday() * _MINUTES_PER_DAY + local.hour * _MINUTES + local.minute
        if self.start_min <= self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


def parse_window(text: str) -> Window:
    """Read `Fri 16:00/Mon 08:00 Europe/Berlin`; without a zone it is UTC.

    Raises:
        InputError: the text is not of that shape; the message shows it.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise InputError(f"freeze {text!r}: expected 'Day HH:MM/Day HH:MM Zone', such as 'Fri 16:00/Mon 08:00 UTC'")
    zone = match[7] or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise InputError(f"freeze {text!r}: unknown time zone {zone!r}") from exc
    return Window(_minute(text, *match.group(1, 2, 3)), _minute(text, *match.group(4, 5, 6)), zone, text)


def frozen_by(windows: tuple[str, ...], now_s: float) -> str | None:
    """Return the first window that holds now, or None."""
    return next((text for text in windows if parse_window(text).holds(now_s)), None)


def _minute(text: str, day: str, hour: str, minute: str) -> int:
    if day not in _DAYS or int(hour) >= _HOURS or int(minute) >= _MINUTES:
        raise InputError(f"freeze {text!r}: {day} {hour}:{minute} is no time of a week; days are {', '.join(_DAYS)}")
    return _DAYS.index(day) * _MINUTES_PER_DAY + int(hour) * _MINUTES + int(minute)
