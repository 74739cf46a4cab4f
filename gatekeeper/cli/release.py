"""`gatekeeper release`: register what can be released."""

from __future__ import annotations

from typing import Annotated

import typer

from gatekeeper.cli._plane import Shape, connect, show, table
from gatekeeper.errors import InputError
from gatekeeper.model.release import Release
from gatekeeper.model.wire import to_dict

app = typer.Typer(no_args_is_help=True, help="Register releases.")

Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]


@app.command()
def create(
    *,
    model: Annotated[str, typer.Option(help="The model: a path or a hub's name.")],
    revision: Annotated[str, typer.Option(help="The model's revision.")] = "",
    engine: Annotated[str, typer.Option(help="The engine's kind.")] = "vllm",
    flag: Annotated[list[str] | None, typer.Option(help="An engine flag, NAME=VALUE; may be repeated.")] = None,
    prompt_version: Annotated[str, typer.Option(help="The prompt template's version.")] = "",
    safety_policy_version: Annotated[str, typer.Option(help="The safety policy's version.")] = "",
    retrieval_index_version: Annotated[str, typer.Option(help="The retrieval index's version.")] = "",
    output: Format = Shape.TEXT,
) -> None:
    """Register a release and print its digest, by which it is known."""
    release = Release(
        model=model,
        revision=revision,
        engine=engine,
        engine_flags=dict(_pair(one) for one in flag or ()),
        prompt_version=prompt_version,
        safety_policy_version=safety_policy_version,
        retrieval_index_version=retrieval_index_version,
    )
    with connect() as plane:
        digest = plane.create_release(release)
    show({"digest": digest, **to_dict(release)}, digest, output)


@app.command("list")
def list_all(output: Format = Shape.TEXT) -> None:
    """List releases."""
    with connect() as plane:
        releases = plane.releases()
    rows = [(one.digest[:12], one.model, one.revision, one.engine, one.prompt_version) for one in releases]
    heads = ("DIGEST", "MODEL", "REVISION", "ENGINE", "PROMPT")
    show({"releases": [{"digest": one.digest, **to_dict(one)} for one in releases]}, table(heads, rows), output)


@app.command("show")
def show_one(
    digest: Annotated[str, typer.Argument(help="The release's digest, or its beginning.", show_default=False)],
    output: Format = Shape.TEXT,
) -> None:
    """Show one release."""
    with connect() as plane:
        release = plane.release(digest)
    plain = {"digest": release.digest, **to_dict(release)}
    show(plain, "\n".join(f"{name + ':':25}{value or '-'}" for name, value in plain.items()), output)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InputError(f"--flag {text!r}: NAME=VALUE is expected, such as max-model-len=512")
    return name.lstrip("-"), value
