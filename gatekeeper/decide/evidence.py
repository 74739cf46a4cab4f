"""The state of one stage's judgement: what is kept between looks, and stored as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide import _seen, _state_json
from gatekeeper.stats import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Say at which look something was decided; ts: unix seconds of the newest sample then (None without one)."""

    look: int
    samples: int
    ts: float | None


@dataclass(slots=True, kw_only=True)
class Track:
    """Hold one stream in one segment: the test's state, the log e-values now, and when each crossed.

    failed stays once set. passed is taken back when evidence of harm grows after it; withdrawn says when, until it
    passes again.
    """

    state: State
    failed: Mark | None = None
    passed: Mark | None = None
    withdrawn: Mark | None = None
    log_rollback: float = 0.0
    log_promotion: float = 0.0


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Hold everything a stage's verdict rests on; its size does not grow with the number of looks.

    tracks: by stream name, then segment label ("" = all traffic). segments: labels in order of arrival, which sets
    what each may spend. strata: classes of traffic in order of arrival; their places never change. arms: samples by
    arm, errored ones included. compared: requests, or pairs of them, that entered the comparison. units: what was
    drawn by lot, by arm. mix: the same by stratum. seen: units (clusters) counted so far, None while there are none.
    grouped: requests that share their unit with another of the same look; repeats: those of units counted at an
    earlier look, left out. singles: halves of pairs without a partner, left out. matched: by metric, requests seen
    and kept by stratum and arm. drift: by stream, what tells whether the baseline moves.
    """

    looks: int = 0
    samples: int = 0
    ts: float | None = None
    arms: dict[str, int] = field(default_factory=dict)
    compared: int = 0
    units: list[int] = field(default_factory=lambda: [0, 0])
    mix: list[list[int]] = field(default_factory=list)
    seen: NDArray[np.uint8] | None = None
    grouped: int = 0
    repeats: int = 0
    ratio_log_e: float = 0.0
    mix_log_e: float = 0.0
    singles: int = 0
    segments: list[str] = field(default_factory=list)
    strata: list[str] = field(default_factory=list)
    matched: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)
    drift: dict[str, dict[str, Any]] = field(default_factory=dict)
    tracks: dict[str, dict[str, Track]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        special = {
            "seen": _seen.to_text(self.seen),
            "drift": _state_json.to_json(self.drift),
            "tracks": {
                name: {label: _track_to_json(track) for label, track in tracks.items()}
                for name, tracks in self.tracks.items()
            },
        }
        return {name: getattr(self, name) for name in self.__slots__ if name not in special} | special

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Evidence:
        """Read what `to_json` wrote."""
        special = {
            "seen": _seen.from_text(plain["seen"]),
            "drift": _state_json.from_json(plain["drift"]),
            "tracks": {
                name: {label: _track_from_json(track) for label, track in tracks.items()}
                for name, tracks in plain["tracks"].items()
            },
        }
        return cls(**plain | special)


MARKS = ("failed", "passed", "withdrawn")


def _track_to_json(track: Track) -> dict[str, Any]:
    """Write a track."""
    marks = {name: None if getattr(track, name) is None else asdict(getattr(track, name)) for name in MARKS}
    rest = {name: _state_json.to_json(getattr(track, name)) for name in ("state", "log_rollback", "log_promotion")}
    return marks | rest


def _track_from_json(plain: dict[str, Any]) -> Track:
    """Read a track."""
    rest = {name: _state_json.from_json(plain[name]) for name in plain.keys() - {*MARKS}}
    return Track(**rest | {name: Mark(**plain[name]) if plain[name] else None for name in MARKS})
