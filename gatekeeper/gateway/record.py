"""`--record`: scored samples, a JSON object a line, written by the recorder's thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson

from gatekeeper.metrics._scoring import score_exchange
from gatekeeper.model.cohort import APART_STAGE
from gatekeeper.model.wire import sample_to_dict

if TYPE_CHECKING:
    from pathlib import Path

    from gatekeeper.model.exchange import Exchange


class SampleFile:
    """Append each exchange's sample, with the labels that say why; what is never compared is left out.

    That is: answers given in the candidate's place, and those to requests whose arm was not drawn.

    Every line is one write, so that several workers may share the file.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for appending.

        Raises:
            OSError: it cannot be opened.
        """
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def take(self, exchange: Exchange) -> None:
        """Score and write one exchange."""
        if exchange.stage == APART_STAGE:
            return
        sample, labels = score_exchange(exchange)
        line = orjson.dumps({**sample_to_dict(sample), "labels": labels}, option=orjson.OPT_APPEND_NEWLINE)
        os.write(self._descriptor, line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
