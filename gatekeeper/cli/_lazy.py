"""A command group that knows its commands by name and imports one only to run it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

COMMANDS = {
    "demo": "Release a good model and refuse bad ones, from nothing, while you watch",
    "serve": "Run everything in one process: gateway, API, worker and UI on SQLite",
    "gateway": "Run a gateway: the OpenAI-compatible proxy that splits, mirrors and measures",
    "api": "Run the control plane",
    "worker": "Run a worker: scores exchanges and steps rollouts",
    "ui": "Run the review screens",
    "gate": "Judge a candidate on an evalset: the CI step",
    "publish": "Show a report where a change is reviewed: a summary, annotations, one comment",
    "analyze": "Judge recorded samples against a policy",
    "plan": "Say what a policy takes at this traffic, and what it cannot show",
    "backtest": "Replay a policy on recorded samples: what it would have decided, and when",
    "calibrate": "Hold the baseline against itself: false alarms, drift and related requests",
    "score": "Turn exchanges into samples",
    "judge": "Let a language model grade answers or compare them, and hold it against people",
    "label": "Label pairs by hand: a detector's errors in each arm, and its rates put right",
    "rollout": "Create, watch and drive rollouts",
    "policy": "Write, check and describe policy files",
    "evalset": "Check, bless and import evalsets",
    "release": "Register releases",
    "deployment": "Register deployments of releases",
    "audit": "Verify the audit chain",
    "db": "Prepare and migrate the database",
    "doctor": "Name what is missing, and the command that mends it",
    "schema": "Print a published JSON Schema",
    "key": "Make, list and revoke API keys",
    "webhook": "Manage outbound webhooks",
}
"""Every command and its one line of help; the module of the same name holds `app` (a group) or `command`."""


class LazyGroup(TyperGroup):
    """List commands from the table; import the one that is run."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - Typer's own arguments, handed through
        """Outline every command, so that help and completion need no imports."""
        attrs["commands"] = {name: TyperCommand(name, help=text, short_help=text) for name, text in COMMANDS.items()}
        super().__init__(**attrs)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> tuple[Any, Any, list[str]]:  # type: ignore[override]  # typer.Context is the public name of its base
        """Find the command named by the first argument, and import it."""
        name, outline, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else outline, rest


def load(name: str) -> Any:  # noqa: ANN401 - Typer's command class is not public
    """Import a command's module and return its Typer command.

    Raises:
        InputError: this installation has no such module.
    """
    module_name = f"gatekeeper.cli.{name}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name != module_name:
            raise
        raise InputError(f"the command {name!r} is not part of this installation") from exc
    return _command(module, name)


def _command(module: ModuleType, name: str) -> Any:  # noqa: ANN401 - Typer's command class is not public
    group = getattr(module, "app", None)
    if isinstance(group, typer.Typer):
        found: Any = typer.main.get_group(group)
    else:
        single = typer.Typer(add_completion=False)
        single.command(name)(module.command)
        found = typer.main.get_command(single)
    found.name = name
    return plain(found)


def plain(command: Any) -> Any:  # noqa: ANN401 - Typer's command class is not public
    """Let a command and all below it print its help without boxes: to draw them takes as long as all else of a help."""
    command.rich_markup_mode = None
    for below in getattr(command, "commands", {}).values():
        plain(below)
    return command
