"""What an arm answered to one sample of an evalset, so that it need not be asked again."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.model.arm import Arm
from gatekeeper.model.exchange import Exchange

AnswerKey = tuple[Arm, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold an exchange with what was asked.

    evalset: digest (hex) of the evalset's samples. sample: its id there. repeat: counts from 0. asked: SHA-256 (hex) of
    the request's body; an answer to another body is no answer to this one.
    """

    exchange: Exchange
    evalset: str
    sample: str
    repeat: int
    asked: str

    @property
    def key(self) -> AnswerKey:
        """Return arm, sample and repeat: what a run asks once."""
        return self.exchange.arm, self.sample, self.repeat
