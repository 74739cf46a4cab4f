"""The state of one stage's judgement: what is kept between looks, and stored as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatekeeper.decide import _seen, _state_json
from gatekeeper.errors import OldEvidenceError
from gatekeeper.stats import State

FORM = 2
"""The form of what is kept; it rises when what an older version kept cannot be gone on with."""


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
    earlier look, left out. singles: halves of pairs without a partner, left out. lost: exchanges that could not be
    recorded, as gateways told. matched: by metric, requests seen and kept by stratum and arm. drift: by stream, what
    tells whether the baseline moves.
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
    lost: int = 0
    segments: list[str] = field(default_factory=list)
    strata: list[str] = field(default_factory=list)
    matched: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)
    drift: dict[str, dict[str, Any]] = field(default_factory=dict)
    tracks: dict[str, dict[str, Track]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        special = {"seen": _seen.to_text(self.seen), "tracks": _tracks_to_json(self.tracks)}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in special}
        return {"form": FORM} | plain | special

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Evidence:
        """Read what `to_json` wrote.

        Raises:
            OldEvidenceError: it was kept in another form.
        """
        form = plain.get("form", 1)
        if form != FORM:
            raise OldEvidenceError(
                f"this stage's evidence was kept by another version of gatekeeper (form {form}; this one keeps form "
                f"{FORM}), and starting over would spend the error budget twice: abort the rollout and create it again"
            )
        special = {"seen": _seen.from_text(plain["seen"]), "tracks": _tracks_from_json(plain["tracks"])}
        kept = {name: value for name, value in plain.items() if name != "form"}
        return cls(**kept | special)


MARKS = ("failed", "passed", "withdrawn")
NUMBERS = ("log_rollback", "log_promotion")


def _tracks_to_json(tracks: dict[str, dict[str, Track]]) -> dict[str, Any]:
    """Write all streams' tracks: their labels, the marks that there are, and all numbers together."""
    flat = [track for by_label in tracks.values() for track in by_label.values()]
    marks = {
        name: {
            str(i): {"look": mark.look, "samples": mark.samples, "ts": mark.ts}
            for i, track in enumerate(flat)
            if (mark := getattr(track, name)) is not None
        }
        for name in MARKS
    }
    states = [{"state": track.state} | {name: float(getattr(track, name)) for name in NUMBERS} for track in flat]
    labels = {name: list(by_label) for name, by_label in tracks.items()}
    return {"labels": labels, "marks": marks, "states": _state_json.to_json(states)}


def _tracks_from_json(plain: dict[str, Any]) -> dict[str, dict[str, Track]]:
    """Read tracks."""
    flat = [Track(**state) for state in _state_json.from_json(plain["states"])]
    for name, found in plain["marks"].items():
        for i, mark in found.items():
            setattr(flat[int(i)], name, Mark(**mark))
    rest = iter(flat)
    return {name: dict(zip(labels, rest, strict=False)) for name, labels in plain["labels"].items()}
