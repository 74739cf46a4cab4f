"""Serving a service before its first rollout: a split that gives its deployment everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.flow.rollouts import endpoint
from gatekeeper.model.split import Split

if TYPE_CHECKING:
    from gatekeeper.ports import Unit


def publish_missing(unit: Unit) -> list[str]:
    """Publish a first split for each service that has none; return their names."""
    known = {split.service for split in unit.splits.all()}
    fresh = [service for service in unit.catalog.all("service") if service["name"] not in known]
    for service in fresh:
        deployment = unit.catalog.deployment(service["deployment_id"])
        unit.splits.put(Split(service=service["name"], epoch=0, version=0, baseline=endpoint(deployment)))
    return [service["name"] for service in fresh]
