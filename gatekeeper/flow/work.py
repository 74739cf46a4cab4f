"""What a worker does with a job: within the transaction that marks it done, or before it where it reaches outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gatekeeper.ports import Unit


@dataclass(frozen=True, slots=True)
class Outside:
    """Wrap work that reaches beyond the store: it is done before the transaction, which keeps what came of it.

    work: takes where units come from and the job's payload; returns what is to be done in the transaction.
    """

    work: Callable[[Callable[[], Unit], dict[str, Any]], Callable[[Unit], object]]


Handler = Callable[[Unit, dict[str, Any]], None] | Outside
"""Within the transaction: what takes the unit and the job's payload."""
