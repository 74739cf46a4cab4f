"""`gatekeeper deployment`: register running endpoints of releases."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.cli._plane import Shape, connect, show, table
from gatekeeper.model.wire import to_dict

app = typer.Typer(no_args_is_help=True, help="Register deployments of releases.")

Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]


@app.command()
def create(
    *,
    service: Annotated[str, typer.Option(help="The service it can serve.")],
    url: Annotated[str, typer.Option(help="The OpenAI-compatible server's root, without /v1.")],
    model: Annotated[str, typer.Option(help="The name by which that server knows the model.")],
    engine: Annotated[str, typer.Option(help="The engine's kind.")] = "vllm",
    release: Annotated[str | None, typer.Option(help="The release's digest; made from the model if not given.")] = None,
    name: Annotated[str | None, typer.Option("--id", help="The deployment's id; made up when not given.")] = None,
    prompt_usd: Annotated[float, typer.Option(min=0, help="Price of a million prompt tokens.")] = 0.0,
    completion_usd: Annotated[float, typer.Option(min=0, help="Price of a million completion tokens.")] = 0.0,
    replicas: Annotated[int | None, typer.Option(min=1, help="Engines that answer behind the URL.")] = None,
    output: Format = Shape.TEXT,
) -> None:
    """Register a deployment and print its id; the first one of a service serves it from now on."""
    with connect() as plane:
        digest = plane.release(release).digest if release else None
        deployment = plane.create_deployment(
            id=name,
            service=service,
            url=url,
            model=model,
            engine=engine,
            release_digest=digest,
            prompt_usd=prompt_usd,
            completion_usd=completion_usd,
            replicas=replicas,
        )
    show(to_dict(deployment), deployment.id, output)


@app.command("list")
def list_all(
    service: Annotated[str | None, typer.Option(help="Only this service's.")] = None, output: Format = Shape.TEXT
) -> None:
    """List deployments; a star marks the one that serves its service."""
    with connect() as plane:
        deployments = plane.deployments(service)
        serving = {one.deployment_id for one in plane.services()}
    rows = [
        ("*" if one.id in serving else " ", one.id, one.service, one.model, one.url, one.release_digest[:12])
        for one in deployments
    ]
    shown = [to_dict(one) | {"serving": one.id in serving} for one in deployments]
    show({"deployments": shown}, table(("", "ID", "SERVICE", "MODEL", "URL", "RELEASE"), rows), output)


@app.command()
def serve(
    deployment: Annotated[str, typer.Argument(help="The deployment's id.", show_default=False)],
    service: Annotated[str, typer.Option(help="The service.")],
    output: Format = Shape.TEXT,
) -> None:
    """Name the deployment that serves a service, without a rollout."""
    with connect() as plane:
        named = plane.serve_by(service, deployment)
    show(to_dict(named), f"{named.name} is served by {named.deployment_id}", output)
