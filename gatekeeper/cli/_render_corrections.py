"""Corrected rates beside the detector's, in words and cells that every form shows alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.cli._sheet import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.model.correction import ArmErrors, Corrected, Correction, DetectorError

HEAD = ("", "detector", "corrected", "interval")


def title(one: Correction) -> str:
    """Say what was corrected, and by how many labels."""
    return (
        f"{one.metric}, corrected by labels of {one.labelled:,} of {one.pairs:,} pairs "
        f"(the detector's answers differ in {one.discordant:,})"
    )


def block(one: Correction) -> Block:
    """Return a correction as a block of a sheet."""
    return Block(title(one), HEAD, rows(one), lines(one))


def rows(one: Correction) -> list[tuple[str, str, str, str]]:
    """Return baseline, candidate and difference as cells."""
    return [
        _row("baseline", one.baseline),
        _row("candidate", one.candidate),
        _row("difference", one.difference, points=True),
    ]


def lines(one: Correction) -> list[str]:
    """Return the detector's errors in each arm, and what the figures hold for."""
    where = ", in the kinds of pairs that are labelled" if one.taken else ""
    arms = (("baseline", one.baseline_errors), ("candidate", one.candidate_errors))
    found = [f"{line}{where}" for arm, errors in arms for line in _errors(arm, errors)]
    return [*found, f"{one.note} ({one.level:.0%} intervals)"]


def _row(name: str, rate: Corrected, *, points: bool = False) -> tuple[str, str, str, str]:
    sign = "+" if points else ""
    unit = " pp" if points else "%"
    raw, value, lower, upper = (
        f"{100.0 * number:{sign}.2f}" for number in (rate.raw, rate.value, rate.lower, rate.upper)
    )
    return name, f"{raw}{unit}", f"{value}{unit}", f"[{lower}, {upper}]"


def _errors(arm: str, errors: ArmErrors) -> Iterator[str]:
    if errors.false_flags is not None:
        yield f"{arm}: {_share(errors.false_flags)} of what the detector flagged is none"
    if errors.missed is not None:
        yield f"{arm}: {_share(errors.missed)} of what it did not flag is one"


def _share(error: DetectorError) -> str:
    return f"{error.value:.1%} [{error.lower:.1%}, {error.upper:.1%}] (n = {error.labelled:,})"
