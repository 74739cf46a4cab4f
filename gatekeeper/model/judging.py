"""What a language model is asked as a judge, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """Say which of two answers is better."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"

    @property
    def mirrored(self) -> Choice:
        """Return the same opinion of the answers in the other order."""
        return {Choice.FIRST: Choice.SECOND, Choice.SECOND: Choice.FIRST}.get(self, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """Say what a good answer is.

    criteria: in words, for the judge. low, high: the scale's ends, whole numbers. passes: the lowest score of a good
    answer.
    """

    name: str = "quality"
    criteria: str = (
        "A good answer does what was asked, is correct and complete, and adds nothing that is wrong or beside the "
        "point. Length is no merit of its own."
    )
    low: int = 1
    high: int = 5
    passes: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold one question to a judge: grade the one answer, or choose between two."""

    rubric: Rubric
    prompt: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Hold what came back of one question.

    text: None when nothing did; reason tells why. Tokens and requests count every try.
    """

    text: str | None
    reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Hold a judge's opinion: a score on the rubric's scale, or a choice; both are None when it has none.

    reason: why there is none, "" otherwise. words: the judge's own, "" when it gave none.
    """

    score: int | None = None
    choice: Choice | None = None
    reason: str = ""
    words: str = ""

    @property
    def told(self) -> bool:
        """Tell whether there is an opinion."""
        return self.score is not None or self.choice is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold what a judge makes of two answers, asked in both orders: where it contradicts itself it is a tie.

    ordered, swapped: its opinions, both told of the answers in their own order.
    """

    choice: Choice | None
    reason: str
    ordered: Opinion
    swapped: Opinion
