"""A judge of one's own making, without a network: for tests and rehearsals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatekeeper.model.judging import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

TOKEN_CHARS = 4
"""Characters that it takes for a token."""


class MemoryGrader:
    """Answer every question with a function's words; None: it fails. asked: the messages it was asked, in order."""

    def __init__(self, answers: Callable[[str, str], str | None], *, name: str = "memory") -> None:
        """Keep the function, of what the system and the user said."""
        self._answers = answers
        self.name = name
        self.asked: list[Sequence[Mapping[str, str]]] = []

    async def __aenter__(self) -> Self:
        """Open nothing."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""

    async def ask(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> Said:
        """Return the function's words at once."""
        del schema  # its function knows what is wanted
        self.asked.append(messages)
        system, user = messages[0]["content"], messages[-1]["content"]
        text = self._answers(system, user)
        tokens = (len(system) + len(user)) // TOKEN_CHARS
        said = len(text or "") // TOKEN_CHARS
        return Said(text=text, reason="" if text else "it failed", prompt_tokens=tokens, completion_tokens=said)
