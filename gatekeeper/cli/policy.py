"""`gatekeeper policy`: write, check and describe policy files."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gatekeeper.cli._console import complain, emit, note
from gatekeeper.cli._files import read_policy
from gatekeeper.cli._reference import policy_reference
from gatekeeper.cli._starter import starter
from gatekeeper.cli.schema import schema_text
from gatekeeper.errors import InputError, PolicyError

app = typer.Typer(help="Write, check and describe policy files.", no_args_is_help=False)

_INVALID = 2


class Form(StrEnum):
    """Name the forms of a validation's result."""

    TEXT = "text"
    JSON = "json"


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write; `-` prints it.")] = Path("policy.yaml"),
    *,
    service: Annotated[str, typer.Option(help="The service the policy is for; becomes its name.")] = "my-service",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a commented policy to start from, and its schema beside it for editors."""
    text = starter(service)
    if str(path) == "-":
        emit(text)
        return
    if path.exists() and not force:
        raise InputError(f"{path} exists; --force replaces it")
    shape = path.with_name("policy.schema.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    shape.write_text(schema_text("policy", draft7=True) + "\n", encoding="utf-8")
    emit(str(path))
    note(f"wrote {path}, and {shape} for editors; check it with: gatekeeper policy validate {path}")


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Policy files; `-` reads stdin.")],
    *,
    form: Annotated[Form, typer.Option("--format", help="The result's form.")] = Form.TEXT,
) -> int:
    """Check policy files: every fault at once, with line and column; exit code 2 if there is one."""
    results = [_result(path) for path in files]
    if form is Form.JSON:
        emit(json.dumps(results, indent=2, ensure_ascii=False))
    for result in results:
        if form is Form.TEXT and result["valid"]:
            counts = f"{result['metrics']} metrics, {result['stages']} stages"
            emit(f"{result['file']}: valid: {result['policy']}, {counts}, digest {result['digest'][:12]}")
    return 0 if all(result["valid"] for result in results) else _INVALID


@app.command()
def schema(
    *,
    draft7: Annotated[bool, typer.Option("--draft7", help="In draft-07 words, for editors.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As tables for people.")] = False,
) -> None:
    """Print the policy file's JSON Schema."""
    emit(policy_reference() if markdown else schema_text("policy", draft7=draft7))


def _result(path: Path) -> dict[str, Any]:
    try:
        policy, _ = read_policy(path)
    except PolicyError as exc:
        complain(str(exc))
        faults = [asdict(fault) for fault in exc.faults]
        return {"file": str(path), "valid": False, "faults": faults}
    except InputError as exc:
        complain(str(exc))
        return {"file": str(path), "valid": False, "faults": [{"message": str(exc)}]}
    return {
        "file": str(path),
        "valid": True,
        "policy": policy.name,
        "digest": policy.digest,
        "metrics": len(policy.metrics),
        "stages": len(policy.stages),
        "faults": [],
    }
