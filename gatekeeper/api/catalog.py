"""Services, releases, deployments and policies: what can be rolled out."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter

from gatekeeper import registry
from gatekeeper.api.caller import OPERATE, VIEW, TheApp
from gatekeeper.api.schemas import DeploymentBody, PolicyBody, ReleaseBody, ServiceBody
from gatekeeper.errors import InputError, NotFoundError, UnknownNameError
from gatekeeper.flow import deploy
from gatekeeper.flow.rollouts import plan_of
from gatekeeper.model.release import Deployment, Release
from gatekeeper.model.wire import to_dict

routes = APIRouter(prefix="/v1", tags=["catalog"])


def policy_text(policy: str | dict[str, Any]) -> str:
    """Return a policy's text; an object becomes its JSON, which is YAML too."""
    return policy if isinstance(policy, str) else json.dumps(policy, indent=2)


@routes.get("/services", dependencies=[VIEW])
def list_services(app: TheApp) -> dict[str, Any]:
    """List services and the deployment that serves each."""
    with app.read() as unit:
        return {"services": list(unit.catalog.all("service"))}


@routes.get("/services/{name}", dependencies=[VIEW])
def show_service(app: TheApp, name: str) -> dict[str, Any]:
    """Show one service."""
    with app.read() as unit:
        return to_dict(unit.catalog.service(name))


@routes.put("/services/{name}", dependencies=[OPERATE])
def put_service(app: TheApp, name: str, body: ServiceBody) -> dict[str, Any]:
    """Name the deployment that serves a service, while no rollout of it runs."""
    with app.unit() as unit:
        return to_dict(deploy.serve_by(unit, name, body.deployment_id))


@routes.get("/releases", dependencies=[VIEW])
def list_releases(app: TheApp) -> dict[str, Any]:
    """List releases with their digests."""
    with app.read() as unit:
        return {"releases": list(unit.catalog.all("release"))}


@routes.get("/releases/{digest}", dependencies=[VIEW])
def show_release(app: TheApp, digest: str) -> dict[str, Any]:
    """Show one release; the digest may be cut short while it is unmistakable."""
    with app.read() as unit:
        found = [plain for plain in unit.catalog.all("release") if str(plain["digest"]).startswith(digest)]
    if len(found) != 1:
        raise NotFoundError(f"{len(found)} releases have a digest that starts with {digest!r}; one is expected")
    return found[0]


@routes.post("/releases", dependencies=[OPERATE], status_code=201)
def create_release(app: TheApp, body: ReleaseBody) -> dict[str, Any]:
    """Store a release; the same content twice is one release."""
    release = _release(body)
    with app.unit() as unit:
        unit.catalog.put(release)
    return {**to_dict(release), "digest": release.digest}


@routes.get("/deployments", dependencies=[VIEW])
def list_deployments(app: TheApp, service: str | None = None) -> dict[str, Any]:
    """List deployments, of one service when it is named."""
    with app.read() as unit:
        found = unit.catalog.all("deployment")
    return {"deployments": [plain for plain in found if service in {None, plain["service"]}]}


@routes.get("/deployments/{deployment_id}", dependencies=[VIEW])
def show_deployment(app: TheApp, deployment_id: str) -> dict[str, Any]:
    """Show one deployment."""
    with app.read() as unit:
        return to_dict(unit.catalog.deployment(deployment_id))


@routes.post("/deployments", dependencies=[OPERATE], status_code=201)
def create_deployment(app: TheApp, body: DeploymentBody) -> dict[str, Any]:
    """Store a deployment; the first one of a service serves it from now on, as its baseline."""
    _known_engine(body.engine)
    release = _release(body.release) if body.release else Release(model=body.model, engine=body.engine)
    digest = body.release_digest or release.digest
    deployment = Deployment(
        id=body.id or f"{body.service}-{digest[:8]}",
        service=body.service,
        release_digest=digest,
        url=_root(body.url),
        model=body.model,
        engine=body.engine,
        prompt_usd=body.prompt_usd,
        completion_usd=body.completion_usd,
        replicas=body.replicas,
    )
    with app.unit() as unit:
        return to_dict(deploy.deploy(unit, deployment, release if digest == release.digest else None))


@routes.get("/policies", dependencies=[VIEW])
def list_policies(app: TheApp) -> dict[str, Any]:
    """List the policies that rollouts were made with, newest first, each once."""
    with app.read() as unit:
        rollouts = unit.rollouts.list()
    found = {
        rollout.policy_digest: {
            "name": rollout.policy_name,
            "digest": rollout.policy_digest,
            "text": rollout.policy_text,
            "rollout_id": rollout.id,
        }
        for rollout in reversed(rollouts)
    }
    return {"policies": list(reversed(found.values()))}


@routes.get("/evalsets", dependencies=[VIEW])
def list_evalsets(app: TheApp) -> dict[str, Any]:
    """List the evalsets that gate stages can name."""
    return {"evalsets": [{"name": name} for name in app.evalsets.names()]}


@routes.get("/evalsets/{name}", dependencies=[VIEW])
def show_evalset(app: TheApp, name: str) -> dict[str, Any]:
    """Show one evalset: its digest and how it is asked, with the number of its samples in place of them."""
    found = app.evalsets.read(name)
    return {**to_dict(replace(found, samples=())), "samples": len(found.samples)}


@routes.post("/policies:validate", dependencies=[VIEW])
def validate_policy(body: PolicyBody) -> dict[str, Any]:
    """Check a policy without storing it; its faults come all at once, with line and column."""
    policy, _ = plan_of(policy_text(body.policy), body.policy_file)
    return {"valid": True, **to_dict(policy)}


def _release(body: ReleaseBody) -> Release:
    _known_engine(body.engine)
    return Release(**body.model_dump())


def _known_engine(name: str) -> None:
    known = registry.names("adapters.engines")
    if name not in known:
        raise UnknownNameError("engine", name, known)


def _root(url: str) -> str:
    """Return a server's root URL; the `/v1` that people copy along is cut off."""
    expected = "the root of a server is expected, such as http://127.0.0.1:8001"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as exc:
        raise InputError(f"url: {url!r}: {exc}; {expected}") from exc
    if not usable or parts.query or parts.fragment:
        raise InputError(f"url: {url!r}: {expected}")
    return url.rstrip("/").removesuffix("/v1")
