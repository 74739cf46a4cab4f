"""Errors as problem+json (RFC 9457): the tree of errors.py is mapped here, once."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gatekeeper.errors import AccessError, ForbiddenError, GatekeeperError, InputError, PolicyError, UnknownNameError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import Response

LOG = logging.getLogger("gatekeeper.api")
MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:gatekeeper:problem:"
RETRY_AFTER_S = 2


def kind_of(error: type[GatekeeperError]) -> str:
    """Return an error class's name as a problem has it: `NotFoundError` is `not-found`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__.removesuffix("Error")).lower()


def problem_of(error: GatekeeperError, path: str = "") -> JSONResponse:
    """Return the answer to an error: its kind, status and words, and a policy's faults one by one."""
    body: dict[str, Any] = {
        "type": PREFIX + kind_of(type(error)),
        "title": (type(error).__doc__ or "").splitlines()[0],
        "status": error.status,
        "detail": str(error),
        "instance": path,
    }
    if isinstance(error, PolicyError):
        body["faults"] = [
            {"line": fault.line, "column": fault.column, "path": fault.path, "message": fault.message}
            for fault in error.faults
        ]
    if isinstance(error, UnknownNameError):
        body |= {"kind": error.kind, "name": error.name, "known": list(error.known)}
    headers: dict[str, str] = {}
    if isinstance(error, AccessError) and not isinstance(error, ForbiddenError):
        headers["www-authenticate"] = "Bearer"
    if error.status == 503:  # noqa: PLR2004 - the one status that asks to come back
        headers["retry-after"] = str(RETRY_AFTER_S)
    return JSONResponse(body, status_code=error.status, media_type=MEDIA_TYPE, headers=headers)


def install(api: FastAPI) -> None:
    """Answer every error of an app with a problem."""
    api.add_exception_handler(GatekeeperError, _ours)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _unforeseen)


def _ours(request: Request, exc: Exception) -> Response:
    error = exc if isinstance(exc, GatekeeperError) else GatekeeperError(str(exc))
    return problem_of(error, request.url.path)


def _invalid(request: Request, exc: Exception) -> Response:
    faults = exc.errors() if isinstance(exc, RequestValidationError) else []
    words = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults]
    return problem_of(InputError("; ".join(words)), request.url.path)


def _http(request: Request, exc: Exception) -> Response:
    status, detail = (exc.status_code, exc.detail) if isinstance(exc, HTTPException) else (500, "")
    body = {"type": "about:blank", "title": detail, "status": status, "detail": detail, "instance": request.url.path}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=getattr(exc, "headers", None))


def _unforeseen(request: Request, exc: Exception) -> Response:
    LOG.error("unforeseen error on %s %s", request.method, request.url.path, exc_info=exc)
    return problem_of(GatekeeperError("the control plane failed in a way it did not foresee; its log says how"))
