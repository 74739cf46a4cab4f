"""What every route may ask for: the app, and who calls with which scope."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.params import Depends as DependsType

from gatekeeper.errors import ForbiddenError
from gatekeeper.model.key import ApiKey, Scope
from gatekeeper.wiring import App


@dataclass(frozen=True, slots=True)
class Caller:
    """Name who calls; `actor` goes into the audit."""

    key: ApiKey

    @property
    def actor(self) -> str:
        """Return the key's name and id, as `alice (1f3a...)`."""
        return f"{self.key.name} ({self.key.id})"


def the_app(request: Request) -> App:
    """Return what wiring put together."""
    return cast("App", request.app.state.gatekeeper)


def the_caller(request: Request) -> Caller:
    """Return who calls, as the door found them."""
    return Caller(cast("ApiKey", request.state.key))


def require(*scopes: Scope) -> DependsType:
    """Refuse callers whose key covers none of `scopes`."""

    def check(caller: Annotated[Caller, Depends(the_caller)]) -> None:
        if not any(caller.key.scope.covers(scope) for scope in scopes):
            wanted = " or ".join(scope.value for scope in scopes)
            raise ForbiddenError(f"this needs a key of scope {wanted}; yours is {caller.key.scope.value}")

    return cast("DependsType", Depends(check))


TheApp = Annotated[App, Depends(the_app)]
TheCaller = Annotated[Caller, Depends(the_caller)]

VIEW = require(Scope.VIEWER)
OPERATE = require(Scope.OPERATOR)
STOP = require(Scope.OPERATOR, Scope.APPROVER)
APPROVE = require(Scope.APPROVER)
ADMINISTER = require(Scope.ADMIN)
INGEST = require(Scope.INGEST)
