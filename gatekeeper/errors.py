"""Everything gatekeeper raises on purpose, as one tree; the edge maps it once (HTTP problem, exit code).

GatekeeperError
├── InputError            mend what you sent: a file, a flag, a body              exit 2, HTTP 422
│   ├── PolicyError       a policy file's faults, all at once, with line and column
│   ├── UnknownNameError  a name no plug-in has, with the names that exist
│   └── NotFoundError     no such rollout, release, deployment, ...               exit 2, HTTP 404
├── ConflictError         the world moved on: stale version, illegal transition   exit 2, HTTP 409
│   └── OldEvidenceError  a stage's evidence was kept by another version          exit 2, HTTP 409
├── AccessError           who are you                                             exit 2, HTTP 401
│   └── ForbiddenError    we know you, and no                                     exit 2, HTTP 403
└── WorldError            the outside world failed; trying again may help         exit 4, HTTP 503
    ├── EngineError       a serving engine did not start, answer or stop
    ├── StoreError        the database or the broker is away
    └── GoneError         a receiver answered never to call it again
"""

from __future__ import annotations

from dataclasses import dataclass


class GatekeeperError(Exception):
    """Carry one message for people, and how the edge must report it."""

    exit_code = 4
    status = 500


class InputError(GatekeeperError):
    """Say that what was sent must be mended before it is sent again."""

    exit_code = 2
    status = 422


@dataclass(frozen=True, slots=True)
class Fault:
    """Point at one thing that is wrong in a file.

    line and column count from 1; both are None where the input has no places (a mapping).
    """

    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        """Return `file:line:column: path: message`, without what is unknown."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, self.path, self.message) if part)


class PolicyError(InputError):
    """Hold every fault of a policy, in the order of the file."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Join the faults into one message, a line each."""
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


class UnknownNameError(InputError):
    """Name what was asked for and what there is."""

    def __init__(self, kind: str, name: str, known: tuple[str, ...]) -> None:
        """Keep kind, name and the known names; the message lists them."""
        self.kind = kind
        self.name = name
        self.known = known
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(known) or 'none'}")


class NotFoundError(InputError):
    """Say that the named thing is not there."""

    status = 404


class ConflictError(GatekeeperError):
    """Say that the thing has moved on since the caller looked."""

    exit_code = 2
    status = 409


class OldEvidenceError(ConflictError):
    """Say that what a stage has seen was kept in a form that cannot be gone on with."""


class AccessError(GatekeeperError):
    """Refuse a caller who did not say, or could not prove, who they are."""

    exit_code = 2
    status = 401


class ForbiddenError(AccessError):
    """Refuse a known caller whose scope does not reach this."""

    status = 403


class WorldError(GatekeeperError):
    """Say that something outside failed; the same call may work later."""

    exit_code = 4
    status = 503


class EngineError(WorldError):
    """Say which engine failed, and show its last lines."""


class StoreError(WorldError):
    """Say that the database or the broker could not be reached or refused the work."""


class GoneError(WorldError):
    """Say that a receiver wants no more, ever (HTTP 410): trying again does not help."""
