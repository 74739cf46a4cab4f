"""Segments become numbers that stay the same from one part of the data to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gatekeeper.decide.columns import segment_label

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import NDArray

MOST_LABELS = 1 << 16
"""Labels of one key that are told apart; rows of any later one count for all traffic alone."""

Coded = dict[str, tuple["NDArray[np.int64]", list[str]]]


class _Numbers(dict[Any, int]):
    """Number keys in order of appearance."""

    def __missing__(self, key: Hashable) -> int:
        self[key] = number = len(self)
        return number


class Labels:
    """Hold the labels of every key, in order of appearance."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._known: dict[str, dict[str, int]] = {key: {} for key in keys}
        self._lists: dict[str, list[str]] = {key: [] for key in self._known}
        self._numbers = _Numbers()
        self._tables: dict[str, list[int]] = {key: [] for key in self._known}

    def coded(self, segments: Sequence[Hashable]) -> Coded:
        """Return a code per row for each key; a segment is None, a string, a row's `Segment`, or pairs of strings."""
        if len(self._numbers) > MOST_LABELS:
            self._numbers.clear()
            self._tables = {key: [] for key in self._known}
        done = len(self._numbers)
        numbers = np.fromiter(map(self._numbers.__getitem__, segments), np.int64, len(segments))
        for segment in list(self._numbers)[done:]:
            for key, table in self._tables.items():
                table.append(self.code(key, _label(key, segment)))
        return {
            key: (np.array(table, np.int64)[numbers] if len(numbers) else numbers, self._lists[key])
            for key, table in self._tables.items()
        }

    def code(self, key: str, label: str | None) -> int:
        """Return a label's code, -1 for none and for more labels than are told apart."""
        known = self._known[key]
        if label is None:
            return -1
        if label not in known and len(known) < MOST_LABELS:
            known[label] = len(known)
            self._lists[key].append(label)
        return known.get(label, -1)

    def of(self, key: str) -> list[str]:
        """Return a key's labels so far."""
        return self._lists[key]


def _label(key: str, segment: Any) -> str | None:  # noqa: ANN401 - see `coded`
    """Return what a row's segment is called under a key."""
    if segment is None or isinstance(segment, str):
        return segment_label(key, segment)
    if isinstance(segment, tuple):
        return segment_label(key, dict(segment))
    return segment_label(key, segment.by_key())
