"""Evalsets and the models that answer them, in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from gatekeeper.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from gatekeeper.model.arm import Arm
    from gatekeeper.model.evalset import Evalset
    from gatekeeper.model.release import Deployment
    from gatekeeper.model.reply import Reply


class MemoryEvalsets:
    """Hold evalsets by name; implements `ports.Evalsets`."""

    def __init__(self, held: Mapping[str, Evalset]) -> None:
        """Take them; a name may be given another one later."""
        self.held = dict(held)

    def names(self) -> list[str]:
        """List those there are."""
        return sorted(self.held)

    def read(self, name: str) -> Evalset:
        """Return one; raises NotFoundError."""
        if name not in self.held:
            raise NotFoundError(f"no evalset {name!r}; there: {', '.join(self.names()) or 'none'}")
        return self.held[name]


class MemoryChat:
    """Answer by a function; implements `ports.Chat`."""

    def __init__(self, answer: Callable[[dict[str, Any]], Reply]) -> None:
        """Keep the function."""
        self._answer = answer

    async def ask(self, body: dict[str, Any]) -> Reply:
        """Answer."""
        return self._answer(body)


class MemoryEndpoints:
    """Reach deployments that answer by a function of the arm and the body; implements `ports.Endpoints`."""

    def __init__(self, answer: Callable[[Arm, dict[str, Any]], Reply]) -> None:
        """Keep the function; `asked` counts the requests."""
        self._answer = answer
        self.asked = 0

    @asynccontextmanager
    async def __call__(self, deployment: Deployment, arm: Arm) -> AsyncIterator[MemoryChat]:
        """Give the arm's model."""
        del deployment

        def answer(body: dict[str, Any]) -> Reply:
            self.asked += 1
            return self._answer(arm, body)

        yield MemoryChat(answer)
