"""Freeze windows: shape, wrap over the week's end, time zones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gatekeeper.decide.freeze import frozen_by, parse_window
from gatekeeper.errors import InputError


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_weekend_wraps_over_the_end_of_the_week() -> None:
    window = ("Fri 16:00/Mon 08:00 Europe/Berlin",)
    assert frozen_by(window, unix("2026-11-20T14:59:00")) is None  # 15:59 in Berlin
    assert frozen_by(window, unix("2026-11-20T15:00:00")) == window[0]
    assert frozen_by(window, unix("2026-11-22T12:00:00")) == window[0]
    assert frozen_by(window, unix("2026-11-23T07:00:00")) is None  # Monday 08:00 in Berlin


def test_without_a_zone_it_is_utc() -> None:
    assert parse_window("Mon 00:00/Mon 01:00").zone == "UTC"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Friday 16:00/Mon 08:00", "expected 'Day HH:MM"),
        ("Fri 25:00/Mon 08:00 UTC", "no time of a week"),
        ("Fri 16:00/Mon 08:00 Europe/Nowhere", "unknown time zone"),
        ("Xxx 16:00/Mon 08:00 UTC", "no time of a week"),
    ],
)
def test_bad_windows_say_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_window(text)
