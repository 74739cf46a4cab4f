"""Services, releases and deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gatekeeper.adapters.store.tables import DeploymentRow, ReleaseRow, ServiceRow
from gatekeeper.errors import NotFoundError, UnknownNameError
from gatekeeper.model.release import Deployment, Release, Service
from gatekeeper.model.wire import from_dict, to_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatekeeper.adapters.store.work import Work

_KEYS = {"service": ServiceRow.name, "release": ReleaseRow.digest, "deployment": DeploymentRow.id}


class SqlCatalog:
    """Keep services, releases and deployments under their own ids."""

    def __init__(self, work: Work) -> None:
        """Work in this transaction."""
        self._work = work

    def put(self, noun: Service | Release | Deployment) -> None:
        """Store a noun; a release that is known stays as it is, for its digest is its content."""
        body = to_dict(noun)
        if isinstance(noun, Release):
            row = self._work.insert(ReleaseRow).values(digest=noun.digest, body={"digest": noun.digest, **body})
            self._work.run(row.on_conflict_do_nothing())
        elif isinstance(noun, Deployment):
            self._work.put(DeploymentRow, {"id": noun.id, "body": body}, ("id",))
        else:
            self._work.put(ServiceRow, {"name": noun.name, "body": body}, ("name",))

    def service(self, name: str) -> Service:
        """Return a service; raises NotFoundError naming those that exist."""
        return from_dict(Service, self._body("service", name))

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment; raises NotFoundError naming those that exist."""
        return from_dict(Deployment, self._body("deployment", deployment_id))

    def all(self, kind: str) -> Sequence[dict[str, Any]]:
        """Return every `service`, `release` or `deployment` as JSON values, in order of its key."""
        if kind not in _KEYS:
            raise UnknownNameError("kind", kind, tuple(_KEYS))
        key = _KEYS[kind]
        return [row.body for row in self._work.all(select(key.class_.body).order_by(key))]

    def _body(self, kind: str, key: str) -> dict[str, Any]:
        column = _KEYS[kind]
        found = self._work.first(select(column.class_.body).where(column == key))
        if found is None:
            known = [row[0] for row in self._work.all(select(column).order_by(column))]
            raise NotFoundError(f"no {kind} {key!r}; known: {', '.join(known) or 'none'}")
        body: dict[str, Any] = found.body
        return body
