"""What a judge may cost: requests, tokens and money, counted before they are spent."""

from __future__ import annotations

from dataclasses import dataclass

from gatekeeper.errors import InputError
from gatekeeper.model.judging import Said

TOKEN_BYTES = 3
"""Bytes of text that are counted as a token before the endpoint tells; there are seldom fewer to one."""

MILLION = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bound a run; None is no bound. Prices: US dollars per million tokens, 0 where nothing is paid."""

    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None
    prompt_usd_per_million: float = 0.0
    completion_usd_per_million: float = 0.0


@dataclass(slots=True)
class Spent:
    """Count what was spent, and what questions under way may still cost.

    A question is refused when, at what its texts and the longest reply would cost, it could exceed the budget.
    """

    budget: Budget
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __post_init__(self) -> None:
        """Check that money can be counted.

        Raises:
            InputError: a bound on money without a price.
        """
        prices = self.budget.prompt_usd_per_million, self.budget.completion_usd_per_million
        if self.budget.usd is not None and not any(prices):
            raise InputError("a budget in US dollars needs the judge's prices per million tokens; give at least one")

    def reserve(self, prompt_bytes: int, reply_tokens: int) -> Said | None:
        """Set aside what a question may cost; None: the budget does not allow it."""
        asked = Said(text=None, prompt_tokens=prompt_bytes // TOKEN_BYTES, completion_tokens=reply_tokens)
        self._add(asked, 1)
        bounds = (
            (self.budget.requests, self.requests),
            (self.budget.tokens, self.tokens),
            (self.budget.usd, self.usd),
        )
        if all(bound is None or used <= bound for bound, used in bounds):
            return asked
        self._add(asked, -1)
        return None

    def settle(self, reserved: Said, said: Said) -> None:
        """Replace what was set aside by what it cost."""
        self._add(reserved, -1)
        self._add(said, 1)

    def _add(self, said: Said, sign: int) -> None:
        price = (
            said.prompt_tokens * self.budget.prompt_usd_per_million
            + said.completion_tokens * self.budget.completion_usd_per_million
        )
        self.requests += sign * said.requests
        self.tokens += sign * (said.prompt_tokens + said.completion_tokens)
        self.usd += sign * price / MILLION
