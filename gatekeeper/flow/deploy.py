"""Registering what can serve, and naming what serves now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.errors import ConflictError, InputError, NotFoundError
from gatekeeper.flow.rollouts import endpoint
from gatekeeper.flow.services import publish_missing
from gatekeeper.model.release import Service
from gatekeeper.model.split import Split

if TYPE_CHECKING:
    from gatekeeper.model.release import Deployment, Release
    from gatekeeper.ports import Unit


def deploy(unit: Unit, deployment: Deployment, release: Release | None = None) -> Deployment:
    """Store a deployment; the first one of a service serves it from now on. The same twice is one.

    release: stored with it when given, else the deployment's digest must be known.

    Raises:
        NotFoundError: no release has the deployment's digest.
        ConflictError: another deployment has its id.
    """
    if release is not None:
        unit.catalog.put(release)
    elif deployment.release_digest not in {plain["digest"] for plain in unit.catalog.all("release")}:
        raise NotFoundError(f"no release {deployment.release_digest!r}: create it first, or send `release` itself")
    if deployment.id in {plain["id"] for plain in unit.catalog.all("deployment")}:
        if unit.catalog.deployment(deployment.id) != deployment:
            raise ConflictError(f"deployment {deployment.id!r} exists with other content: choose another id")
        return deployment
    unit.catalog.put(deployment)
    if deployment.service not in {plain["name"] for plain in unit.catalog.all("service")}:
        unit.catalog.put(Service(name=deployment.service, deployment_id=deployment.id))
        publish_missing(unit)
    return deployment


def serve_by(unit: Unit, service: str, deployment_id: str) -> Service:
    """Make a deployment its service's baseline now, and tell the gateways.

    Raises:
        InputError: the deployment belongs to another service.
        ConflictError: a rollout of the service runs; its end says what serves it.
    """
    deployment = unit.catalog.deployment(deployment_id)
    if deployment.service != service:
        raise InputError(f"deployment {deployment.id!r} serves {deployment.service!r}, not {service!r}")
    running = [rollout for rollout in unit.rollouts.list(running=True) if rollout.service == service]
    if running:
        raise ConflictError(f"service {service!r} has rollout {running[0].id} running: its end says what serves it")
    named = Service(name=service, deployment_id=deployment.id)
    unit.catalog.put(named)
    epoch = 1 + max((split.epoch for split in unit.splits.all() if split.service == service), default=-1)
    unit.splits.put(Split(service=service, epoch=epoch, version=0, baseline=endpoint(deployment)))
    return named
