"""The control plane, typed and synchronous: for the command line, the review screens and scripts.

Answers are the model's nouns where they are nouns, and plain JSON values where they are views; a problem becomes the
error of errors.py that it was on the other side.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import msgspec

from gatekeeper.errors import (
    AccessError,
    ConflictError,
    Fault,
    ForbiddenError,
    GatekeeperError,
    InputError,
    NotFoundError,
    PolicyError,
    UnknownNameError,
    WorldError,
)
from gatekeeper.model.audit import AuditEntry
from gatekeeper.model.finding import Report
from gatekeeper.model.release import Deployment, Release, Service
from gatekeeper.model.sample import Sample
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from gatekeeper.model.key import Scope

TIMEOUT_S = 30.0
PATIENCE_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0
_BY_STATUS: dict[int, type[GatekeeperError]] = {
    401: AccessError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
}


class Client:
    """Call one control plane with one API key."""

    def __init__(self, url: str, key: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        """Keep where to call; nothing is sent yet."""
        self.url = url.rstrip("/")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)
        except (httpx.InvalidURL, UnicodeError) as exc:
            raise InputError(f"the control plane's URL {url!r} or its key cannot be sent: {exc}") from exc

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def services(self) -> list[Service]:
        """Return all services."""
        return [from_dict(Service, plain) for plain in self._get("/v1/services")["services"]]

    def serve_by(self, service: str, deployment_id: str) -> Service:
        """Name the deployment that serves a service."""
        body = {"deployment_id": deployment_id}
        return from_dict(Service, self._call("PUT", f"/v1/services/{_part(service)}", json=body))

    def releases(self) -> list[Release]:
        """Return all releases."""
        return [from_dict(Release, plain) for plain in self._get("/v1/releases")["releases"]]

    def release(self, digest: str) -> Release:
        """Return the release whose digest starts so."""
        return from_dict(Release, self._get(f"/v1/releases/{_part(digest)}"))

    def create_release(self, release: Release) -> str:
        """Store a release; return its digest."""
        return str(self._call("POST", "/v1/releases", json=to_dict(release))["digest"])

    def deployments(self, service: str | None = None) -> list[Deployment]:
        """Return deployments, of one service when it is named."""
        found = self._get("/v1/deployments", service=service)["deployments"]
        return [from_dict(Deployment, plain) for plain in found]

    def create_deployment(self, **fields: Any) -> Deployment:  # noqa: ANN401 - the fields of the API's body
        """Store a deployment: service, url, model, and what else the API's body has; None is left out."""
        body = {name: value for name, value in fields.items() if value is not None}
        return from_dict(Deployment, self._call("POST", "/v1/deployments", json=body))

    def validate_policy(self, policy: str | Mapping[str, Any], file: str | None = None) -> dict[str, Any]:
        """Check a policy; raises PolicyError with its faults."""
        return self._call("POST", "/v1/policies:validate", json={"policy": policy, "policy_file": file}, file=file)

    def create_rollout(
        self,
        *,
        service: str,
        policy: str | Mapping[str, Any],
        candidate: str,
        baseline: str | None = None,
        policy_file: str | None = None,
        rollout_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Begin a rollout of deployment `candidate`; return its screen. Raises PolicyError with the policy's faults."""
        body = {
            "service": service,
            "policy": policy,
            "policy_file": policy_file,
            "candidate": candidate,
            "baseline": baseline,
            "id": rollout_id,
        }
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        return self._call("POST", "/v1/rollouts", json=body, headers=headers, file=policy_file)

    def rollouts(
        self, *, service: str | None = None, state: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Return rollouts, newest first, without their policies' texts."""
        found: list[dict[str, Any]] = self._get("/v1/rollouts", service=service, state=state, limit=limit)["rollouts"]
        return found

    def rollout(self, rollout_id: str) -> dict[str, Any]:
        """Return a rollout's screen: its fields, stages, counts, latest report, sentence."""
        return self._get(_rollout(rollout_id))

    def create_gate(
        self,
        *,
        service: str,
        policy: str | Mapping[str, Any],
        candidate: str,
        baseline: str | None = None,
        evalset: str | None = None,
        policy_file: str | None = None,
        patience_s: float | None = None,
    ) -> dict[str, Any]:
        """Begin a gate that the server's workers run; return it. Raises PolicyError with the policy's faults.

        evalset None: that of the policy's gate stage. patience_s: when it is given up, None: as the server says.
        """
        body = {
            "service": service,
            "policy": policy,
            "policy_file": policy_file,
            "candidate": candidate,
            "baseline": baseline,
            "evalset": evalset,
            "patience_s": patience_s,
        }
        return self._call("POST", "/v1/gates", json=_given(body), file=policy_file)

    def gate(self, gate_id: str) -> dict[str, Any]:
        """Return a gate: its state, its exit code once it has ended, and its latest report."""
        return self._get(f"/v1/gates/{_part(gate_id)}")

    def act(
        self,
        rollout_id: str,
        action: str,
        reason: str = "",
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Do one of pause, resume, approve, promote, skip, abort, rollback; return the screen after it."""
        headers = {} if if_match is None else {"if-match": f'"{if_match}"'}
        if idempotency_key:
            headers["idempotency-key"] = idempotency_key
        path = f"{_rollout(rollout_id)}/{_part(action)}"
        return self._call("POST", path, json={"reason": reason}, headers=headers)

    def approve(self, rollout_id: str, reason: str = "", *, if_match: int | None = None) -> dict[str, Any]:
        """Approve the current stage."""
        return self.act(rollout_id, "approve", reason, if_match=if_match)

    def rollback(self, rollout_id: str, reason: str = "") -> dict[str, Any]:
        """Send all traffic to the baseline for good."""
        return self.act(rollout_id, "rollback", reason)

    def report(self, rollout_id: str, stage: int | None = None) -> Report:
        """Return the latest report of the current stage, or of `stage`."""
        return from_dict(Report, self._get(f"{_rollout(rollout_id)}/report", stage=stage))

    def reports(self, rollout_id: str, stage: int | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """Return the looks, newest first: {stage, epoch, look, ts, report}."""
        found: list[dict[str, Any]] = self._get(f"{_rollout(rollout_id)}/reports", stage=stage, limit=limit)["reports"]
        return found

    def samples(self, rollout_id: str, stage: int | None = None, limit: int = 100) -> dict[str, Any]:
        """Return {counts, waiting}."""
        return self._get(f"{_rollout(rollout_id)}/samples", stage=stage, limit=limit)

    def stream_samples(self, rollout_id: str, stage: int | None = None) -> Iterator[Sample]:
        """Yield all samples of a rollout (or of `stage`) as they were stored; `Sample.stage` is the stage's index.

        They are read as they are asked for. A stream that breaks is taken up behind the last sample.

        Raises:
            WorldError: it broke before anything new came.
        """
        after = told = 0
        while True:
            try:
                path = f"{_rollout(rollout_id)}/samples.jsonl"
                for line in self._lines(path, stage=stage, after=after):
                    plain = self._decoded(line)
                    after = plain["row"]
                    yield from_dict(Sample, plain)
            except WorldError:
                if after == told:
                    raise
                told = after
            else:
                return

    def pairs(self, rollout_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """Return mirrored pairs, most telling first."""
        found: list[dict[str, Any]] = self._get(f"{_rollout(rollout_id)}/pairs", limit=limit)["pairs"]
        return found

    def audit(self, rollout_id: str) -> tuple[int, list[AuditEntry]]:
        """Return the version a rollout stands at, and its chain of entries."""
        plain = self._get(f"{_rollout(rollout_id)}/audit")
        return plain["version"], [from_dict(AuditEntry, entry) for entry in plain["entries"]]

    def send_exchanges(self, lines: bytes) -> dict[str, Any]:
        """Send exchanges as JSON lines; return {received, new, refused}."""
        return self._call("POST", "/v1/exchanges", content=lines, headers={"content-type": "application/x-ndjson"})

    def create_key(self, name: str, scope: Scope, env: str = "live") -> dict[str, Any]:
        """Make an API key; `key` in the answer is its text, told only now."""
        return self._call("POST", "/v1/keys", json={"name": name, "scope": scope.value, "env": env})

    def keys(self) -> list[dict[str, Any]]:
        """Return all keys without their secrets."""
        found: list[dict[str, Any]] = self._get("/v1/keys")["keys"]
        return found

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key now."""
        self._call("DELETE", f"/v1/keys/{_part(key_id)}")

    def create_webhook(
        self, url: str, events: Sequence[str] | None = None, secret: str | None = None
    ) -> dict[str, Any]:
        """Add an outbound webhook; `secret` in the answer verifies its signatures, told only now."""
        body = {"url": url, "events": list(events) if events else None, "secret": secret}
        return self._call("POST", "/v1/webhooks", json=body)

    def webhooks(self) -> list[dict[str, Any]]:
        """Return all outbound webhooks without their secrets."""
        found: list[dict[str, Any]] = self._get("/v1/webhooks")["webhooks"]
        return found

    def remove_webhook(self, webhook_id: str) -> None:
        """Remove an outbound webhook."""
        self._call("DELETE", f"/v1/webhooks/{_part(webhook_id)}")

    def watch(self, rollout_id: str, *, patience_s: float = PATIENCE_S) -> Iterator[dict[str, Any]]:
        """Yield the rollout's state now and after each change, until it has ended and the world shows so.

        A connection that breaks is made again; what happened meanwhile is told by the next state.

        Raises:
            WorldError: nothing was heard for `patience_s`.
        """
        wait_s, heard_at = _FIRST_WAIT_S, time.monotonic()
        while True:
            try:
                for name, data in self._events(f"{_rollout(rollout_id)}/events"):
                    if name == "end":
                        return
                    wait_s, heard_at = _FIRST_WAIT_S, time.monotonic()
                    yield data
            except WorldError:
                if time.monotonic() - heard_at > patience_s:
                    raise
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _events(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        name = ""
        for line in self._lines(path):
            field, _, value = line.partition(b": ")
            if field == b"event":
                name = value.decode()
            elif field == b"data":
                yield name, self._decoded(value)

    def _lines(self, path: str, **params: Any) -> Iterator[bytes]:  # noqa: ANN401 - as in _get
        """Yield lines as they come; only a newline ends one, unlike in httpx' own lines."""
        try:
            with self._http.stream("GET", path, params=_given(params)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _error(answer)
                rest = b""
                for block in answer.iter_bytes():
                    *lines, rest = (rest + block).split(b"\n")
                    yield from lines
                if rest:
                    yield rest
        except httpx.HTTPError as exc:
            raise self._away(exc) from exc

    def _decoded(self, line: bytes) -> dict[str, Any]:
        try:
            plain = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as exc:
            raise self._away(exc) from exc
        return plain

    def _get(self, path: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - texts and numbers of a query
        return self._call("GET", path, params=_given(params))

    def _call(self, method: str, path: str, *, file: str | None = None, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx' own arguments
        try:
            answer = self._http.request(method, path, **rest)
        except httpx.HTTPError as exc:
            raise self._away(exc) from exc
        if not answer.is_success:
            raise _error(answer, file)
        if not answer.content:
            return {}
        try:
            plain = answer.json()
        except ValueError as exc:
            raise self._away(exc) from exc
        if not isinstance(plain, dict):
            raise WorldError(f"{self.url}{path} answered with no JSON object; is this the control plane?")
        return plain

    def _away(self, exc: Exception) -> WorldError:
        return WorldError(f"the control plane at {self.url} does not answer ({type(exc).__name__}: {exc})")


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _part(text: str) -> str:
    return quote(text, safe="")


def _rollout(rollout_id: str) -> str:
    return f"/v1/rollouts/{_part(rollout_id)}"


def _error(answer: httpx.Response, file: str | None = None) -> GatekeeperError:
    """Return the error that a problem tells of; anything else by its status."""
    try:
        plain = answer.json()
    except ValueError:
        plain = {}
    detail = str(plain.get("detail") or f"HTTP {answer.status_code}") if isinstance(plain, dict) else ""
    if isinstance(plain, dict) and isinstance(plain.get("faults"), list):
        return PolicyError(tuple(Fault(**fault, file=file) for fault in plain["faults"]))
    if isinstance(plain, dict) and "known" in plain:
        return UnknownNameError(plain["kind"], plain["name"], tuple(plain["known"]))
    by_status = WorldError if answer.is_server_error else InputError
    return _BY_STATUS.get(answer.status_code, by_status)(detail)
