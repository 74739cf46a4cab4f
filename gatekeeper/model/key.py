"""Who may call the control plane, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Name what a key may do; see `Scope.covers` for what each includes."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    INGEST = "ingest"

    def covers(self, wanted: Scope) -> bool:
        """Tell whether a key of this scope may do what `wanted` asks.

        ADMIN covers all; OPERATOR and APPROVER cover VIEWER; INGEST covers only itself.
        """
        if self is Scope.ADMIN or self is wanted:
            return True
        return wanted is Scope.VIEWER and self in (Scope.OPERATOR, Scope.APPROVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Describe a key without its secret; digest is the SHA-256 (hex) of the whole key text."""

    id: str
    name: str
    scope: Scope
    digest: str
    created_at: float
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Describe one outbound webhook: https URL (http only on loopback when allowed), `whsec_` secret, event names."""

    id: str
    url: str
    secret: str
    events: tuple[str, ...]
    disabled: bool = False
