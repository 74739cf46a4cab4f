"""Which pairs people should read, drawn by lot, so that what they say of some holds for all.

A pair's place in the draw is a hash of its id and the seed: the same at every run, and nobody's choice. Whoever stops
half-way has labelled a sample drawn by lot all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, cast

import msgspec

from gatekeeper import registry
from gatekeeper.errors import Fault, InputError
from gatekeeper.flow.correct import detector
from gatekeeper.flow.score import read_exchange
from gatekeeper.metrics._answer import prompt_text, read_answer
from gatekeeper.model.arm import Arm
from gatekeeper.model.correction import PairLabel
from gatekeeper.model.wire import to_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from gatekeeper.model.metric import ScorerModule

    Lines = Callable[[], Iterable[bytes]]

Flags = tuple[bool, bool]
"""What the detector says of the baseline's answer and of the candidate's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold what a person has to read of one pair."""

    pair_id: str
    prompt: str
    baseline: str
    candidate: str


def flagged_pairs(lines: Iterable[bytes], file: str, metric: str) -> dict[str, Flags]:
    """Return what a metric's detector says of each pair that both arms answered.

    Raises:
        InputError: no such detector, a line that is no exchange, or no pair at all.
    """
    score = cast("ScorerModule", registry.load("metrics", detector(metric).name)).score
    said: dict[str, dict[Arm, bool]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            exchange = read_exchange(line)
        except InputError as exc:
            raise InputError(str(Fault(str(exc), file=file, line=number))) from exc
        if exchange.pair_id is None or exchange.error is not None:
            continue
        value = score(exchange).value
        if value is not None:
            said.setdefault(exchange.pair_id, {}).setdefault(exchange.arm, bool(value))
    pairs = {
        pair: (arms[Arm.BASELINE], arms[Arm.CANDIDATE])
        for pair, arms in said.items()
        if Arm.BASELINE in arms and Arm.CANDIDATE in arms
    }
    if not pairs:
        raise InputError(f"{file}: no pair that both arms answered; expected exchanges that share a pair_id")
    return pairs


def draw(pairs: Mapping[str, Flags], *, discordant: int, agreeing: int, seed: int) -> list[str]:
    """Return the ids of pairs to label, by lot, in the order of the draw.

    discordant: how many in which the detector's answers differ. agreeing: how many in which they agree, half of them
    flagged in both arms as far as there are so many.
    """
    order = sorted(pairs, key=lambda pair: place(pair, seed))
    differ = [pair for pair in order if pairs[pair][0] is not pairs[pair][1]]
    both = [pair for pair in order if all(pairs[pair])]
    neither = [pair for pair in order if not any(pairs[pair])]
    flagged = min(len(both), max(agreeing // 2, agreeing - len(neither)))
    chosen = {*differ[:discordant], *both[:flagged], *neither[: agreeing - flagged]}
    return [pair for pair in order if pair in chosen]


def place(pair_id: str, seed: int) -> bytes:
    """Return a pair's place in the draw."""
    return blake2b(f"{seed}:{pair_id}".encode(), digest_size=16).digest()


def readings(lines: Iterable[bytes], wanted: Collection[str]) -> dict[str, Reading]:
    """Return prompt and both answers of these pairs."""
    texts: dict[str, dict[Arm, tuple[str, str]]] = {pair: {} for pair in wanted}
    for line in lines:
        if not line.strip():
            continue
        exchange = read_exchange(line)
        if exchange.pair_id in texts and exchange.error is None:
            answer = read_answer(exchange.response)
            words = (answer.text or answer.refusal) if answer else ""
            texts[exchange.pair_id].setdefault(exchange.arm, (prompt_text(exchange.request), words))
    return {
        pair: Reading(
            pair_id=pair,
            prompt=arms[Arm.BASELINE][0],
            baseline=arms[Arm.BASELINE][1],
            candidate=arms[Arm.CANDIDATE][1],
        )
        for pair, arms in texts.items()
        if Arm.BASELINE in arms and Arm.CANDIDATE in arms
    }


class _Filled(msgspec.Struct):
    """Read a line of a file that people filled in; null where they did not."""

    pair_id: str
    metric: str
    baseline: bool | None = None
    candidate: bool | None = None
    by: str = ""
    ts: float | None = None


def filled_in(path: Path) -> tuple[list[PairLabel], int]:
    """Return the labels that people wrote into a file of drawn pairs, and how many they left open.

    Raises:
        InputError: not readable, or lines that are no labels, each named.
    """
    labels: list[PairLabel] = []
    faults: list[str] = []
    left = 0
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise InputError(f"{path}: {exc.strerror}") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=_Filled)
            detector(one.metric)
        except (msgspec.DecodeError, UnicodeDecodeError, InputError) as exc:
            faults.append(str(Fault(str(exc), file=str(path), line=number)))
            continue
        if one.baseline is None or one.candidate is None:
            left += 1
            continue
        labels.append(
            PairLabel(
                pair_id=one.pair_id,
                metric=one.metric,
                baseline=one.baseline,
                candidate=one.candidate,
                by=one.by,
                ts=one.ts,
            )
        )
    if faults:
        raise InputError("\n".join([*faults[:20], "expected baseline and candidate as true, false, or null for open"]))
    return labels, left


def keep(labels: Sequence[PairLabel], path: Path) -> None:
    """Append labels to their file, a JSON object a line, each written whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"".join(msgspec.json.encode(to_dict(label)) + b"\n" for label in labels))
