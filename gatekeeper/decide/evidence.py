"""The state of one stage's judgement: what is kept between looks, and stored as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gatekeeper.stats import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Say at which look something was decided; ts: unix seconds of the newest sample then (None without one)."""

    look: int
    samples: int
    ts: float | None


@dataclass(slots=True, kw_only=True)
class Track:
    """Hold one stream in one segment: the test's state, the best log e-values so far, and when each crossed."""

    state: State
    failed: Mark | None = None
    passed: Mark | None = None
    log_rollback: float = 0.0
    log_promotion: float = 0.0


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Hold everything a stage's verdict rests on; its size does not grow with the number of looks.

    tracks: by stream name, then segment label ("" = all traffic). segments: labels in order of arrival, which sets
    what each may spend. arms: samples by arm, errored ones included. units: what the sample-ratio check counts, by
    arm; seen: the clusters it has counted. singles: halves of pairs without a partner, left out.
    """

    looks: int = 0
    samples: int = 0
    ts: float | None = None
    arms: dict[str, int] = field(default_factory=dict)
    units: list[int] = field(default_factory=lambda: [0, 0])
    seen: list[int] = field(default_factory=list)
    ratio_log_e: float = 0.0
    singles: int = 0
    segments: list[str] = field(default_factory=list)
    tracks: dict[str, dict[str, Track]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "tracks"}
        plain["tracks"] = {
            name: {label: _track_to_json(track) for label, track in tracks.items()}
            for name, tracks in self.tracks.items()
        }
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Evidence:
        """Read what `to_json` wrote."""
        tracks = {
            name: {label: _track_from_json(track) for label, track in tracks.items()}
            for name, tracks in plain["tracks"].items()
        }
        return cls(**{**plain, "tracks": tracks})


def _track_to_json(track: Track) -> dict[str, Any]:
    """Write a track."""
    marks = {
        name: mark and {"look": mark.look, "samples": mark.samples, "ts": mark.ts}
        for name, mark in (("failed", track.failed), ("passed", track.passed))
    }
    logs = {name: _finite(getattr(track, name)) for name in ("log_rollback", "log_promotion")}
    return {"state": _state_to_json(track.state), **marks, **logs}


def _finite(value: float) -> float | None:
    """Return None for -inf, which JSON does not have."""
    return value if np.isfinite(value) else None


def _track_from_json(plain: dict[str, Any]) -> Track:
    """Read a track."""
    return Track(
        state=_state_from_json(plain["state"]),
        failed=Mark(**plain["failed"]) if plain["failed"] else None,
        passed=Mark(**plain["passed"]) if plain["passed"] else None,
        log_rollback=-np.inf if plain["log_rollback"] is None else plain["log_rollback"],
        log_promotion=-np.inf if plain["log_promotion"] is None else plain["log_promotion"],
    )


def _state_to_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Write a test's state: arrays become {"kind", "values"}."""
    if isinstance(value, dict):
        return {key: _state_to_json(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return {"kind": value.dtype.kind, "values": value.tolist()}
    return value


def _state_from_json(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Read a test's state."""
    if isinstance(value, dict):
        if set(value) == {"kind", "values"}:
            return np.array(value["values"], np.int64 if value["kind"] == "i" else np.float64)
        return {key: _state_from_json(item) for key, item in value.items()}
    return value
