"""Inspect's text scorers in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.evalset_formats._collected import either

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gatekeeper.adapters.evalset_formats._collected import Collected

    Scorer = Callable[[Collected, dict[str, Any], str, list[str], Mapping[str, Any]], None]


def _includes(
    collected: Collected, sample: dict[str, Any], place: str, targets: list[str], options: Mapping[str, Any]
) -> None:
    """Some target occurs in the answer."""
    fold = bool(options.get("ignore_case", True))
    check = {"type": "contains_any", "value": targets, "ignore_case": fold}
    collected.expect(sample, place, "scorer includes", check)


def _match(
    collected: Collected, sample: dict[str, Any], place: str, targets: list[str], options: Mapping[str, Any]
) -> None:
    """Some target stands at a place of the answer, by default at its end; punctuation around it does not count."""
    where, flags = options.get("location", "end"), "(?i)" if options.get("ignore_case", True) else ""
    if options.get("numeric"):
        _numeric(collected, sample, place, targets, where)
        return
    patterns = {
        "begin": rf"{flags}^\W*{either(targets)}",
        "end": rf"{flags}{either(targets)}\W*$",
        "any": f"{flags}{either(targets)}",
        "exact": rf"{flags}^\W*{either(targets)}\W*$",
    }
    if where not in patterns:
        collected.leave(place, "scorer match", f"unknown location {where!r}", sample)
        return
    collected.expect(sample, place, "scorer match", {"type": "regex", "value": patterns[where]})


def _numeric(collected: Collected, sample: dict[str, Any], place: str, targets: list[str], where: str) -> None:
    """Compare the answer's last number with the one target."""
    try:
        (value,) = (float(target.replace(",", "").lstrip("$€£")) for target in targets)
    except ValueError:
        collected.leave(place, "scorer match(numeric)", f"found targets {targets}, expected one number", sample)
        return
    if where != "end":
        collected.leave(place, "scorer match(numeric)", f"looks {where!r}: here only the last number counts", sample)
        return
    collected.expect(sample, place, "scorer match(numeric)", {"type": "numeric", "value": value})


def _exact(
    collected: Collected, sample: dict[str, Any], place: str, targets: list[str], _options: Mapping[str, Any]
) -> None:
    """The whole answer is some target."""
    collected.adapt(place, "scorer exact", "case is folded; punctuation and articles count here")
    check = {"type": "exact", "value": targets, "ignore_case": True}
    collected.expect(sample, place, "scorer exact", check)


def _answer(
    collected: Collected, sample: dict[str, Any], place: str, targets: list[str], _options: Mapping[str, Any]
) -> None:
    """The target stands behind "ANSWER:"."""
    check = {"type": "regex", "value": rf"(?i)answer\s*:\s*\W{{0,3}}{either(targets)}(?:\W|$)"}
    collected.expect(sample, place, "scorer answer", check)


def _choice(
    collected: Collected, sample: dict[str, Any], place: str, targets: list[str], _options: Mapping[str, Any]
) -> None:
    """The letter of the right choice."""
    if len(targets) != 1 or len(targets[0]) != 1:
        collected.leave(place, "scorer choice", f"found targets {targets}, expected one letter", sample)
        return
    collected.expect(sample, place, "scorer choice", {"type": "choice", "value": targets[0]})


SCORERS: Mapping[str, Scorer] = {
    "answer": _answer,
    "choice": _choice,
    "exact": _exact,
    "includes": _includes,
    "match": _match,
}
