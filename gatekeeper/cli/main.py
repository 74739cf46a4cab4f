"""The command line's entry: runs a command, and turns what went wrong into words and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import complain, keep_writing
from gatekeeper.cli._lazy import LazyGroup, plain
from gatekeeper.errors import GatekeeperError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE, INFRASTRUCTURE, INTERRUPTED = 2, 4, 130

app = typer.Typer(
    name="gatekeeper",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run() -> None:
    """Run the command line with the process's arguments and exit with its code."""
    sys.stdout, sys.stderr = keep_writing(sys.stdout), keep_writing(sys.stderr)
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


def main(args: Sequence[str]) -> int:
    """Run one command line; return its exit code.

    0 pass, 1 regression, 2 usage or bad input, 3 inconclusive, 4 infrastructure, 130 interrupted. A command returns its
    code, or None for 0.
    """
    debug = "--debug" in takewhile(lambda arg: arg.startswith("-"), args) or os.environ.get("GATEKEEPER_DEBUG") == "1"
    try:
        code = plain(typer.main.get_command(app)).main(args=list(args), prog_name="gatekeeper", standalone_mode=False)
    except typer.TyperException as exc:
        return _usage(exc)
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return INTERRUPTED
    except Exception as exc:  # noqa: BLE001 - the last one to see it: everything becomes words and a code
        if debug:
            traceback.print_exc()
        return explain(exc)
    return code if isinstance(code, int) else 0


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer hands an option's value by position
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms that only --version needs

    try:
        number = version("llm-gatekeeper")
    except PackageNotFoundError:
        number = "0 (not installed)"
    typer.echo(f"gatekeeper {number}")
    raise typer.Exit


@app.callback()
def entry(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of what went wrong.")] = False,
) -> None:
    """Release gate for LLM serving: shadow, canary, measure, and promote or roll back by sequential tests.

    Exit codes: 0 pass, 1 regression, 2 usage or bad input, 3 inconclusive, 4 infrastructure.
    """
    _ = version, debug  # acted on by `_show_version` and `main`


def _usage(exc: typer.TyperException) -> int:
    context: typer.Context | None = getattr(exc, "ctx", None)
    if context is not None:
        typer.echo(context.get_usage(), err=True)
        typer.echo(f"Try '{context.command_path} --help' for help.", err=True)
    complain(exc.format_message())
    return USAGE


def explain(exc: Exception) -> int:
    """Tell a person what went wrong, a line each; return the exit code that goes with it."""
    if isinstance(exc, GatekeeperError):
        complain(str(exc) or type(exc).__name__)
        return exc.exit_code
    if isinstance(exc, ModuleNotFoundError):
        complain(f"{exc.name} is not installed; `gatekeeper doctor` names the command that installs it")
        return INFRASTRUCTURE
    if isinstance(exc, OSError):
        complain(str(exc))
        return USAGE if exc.filename is not None else INFRASTRUCTURE
    complain(f"{type(exc).__name__}: {exc}\nthis is a bug in gatekeeper; run with --debug for the traceback")
    return INFRASTRUCTURE
