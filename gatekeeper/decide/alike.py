"""Prompts that say nearly the same: pairs of texts that share most of their letters in order, digits aside.

Ten copies of one prompt are not ten proofs. The search is exact: two texts as alike as asked for must share one of
their rarest pieces (prefix filtering; Bayardo, Ma & Srikant, "Scaling up all pairs similarity search", WWW 2007).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PIECE_CHARS = 5
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, order=True)
class Alike:
    """Hold two texts' places (the later one first) and the share of pieces that they have in common, 0 to 1."""

    later: int
    earlier: int
    share: float


def alike(texts: Sequence[str], least: float) -> Iterator[Alike]:
    """Yield every pair whose texts have at least the share `least` (above 0) of their pieces in common.

    Pieces are runs of five characters, without regard to case and white space; every number counts as the same one,
    so that a template filled with other numbers is found. The share is Jaccard's: common pieces over all pieces.
    """
    pieces = [pieces_of(text) for text in texts]
    frequency = Counter(piece for each in pieces for piece in each)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for later, own in enumerate(pieces):
        rarest = sorted(own, key=lambda piece: (frequency[piece], piece))
        rarest = rarest[: len(own) - math.ceil(least * len(own) - 1e-9) + 1]
        for earlier in sorted({holder for piece in rarest for holder in holders[piece]}):
            other = pieces[earlier]
            if min(len(own), len(other)) < least * max(len(own), len(other)) - 1e-9:
                continue
            common = len(own & other)
            share = common / (len(own) + len(other) - common)
            if share >= least:
                yield Alike(later, earlier, share)
        for piece in rarest:
            holders[piece].append(later)


def pieces_of(text: str) -> frozenset[str]:
    """Return a text's runs of five characters, folded; of a shorter one the text itself."""
    folded = _DIGITS.sub("0", " ".join(text.casefold().split()))
    return frozenset(folded[start : start + PIECE_CHARS] for start in range(max(1, len(folded) - PIECE_CHARS + 1)))
