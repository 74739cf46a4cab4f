"""`gatekeeper rollout`: create, watch and drive rollouts."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - Typer reads the annotation at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatekeeper.cli import _watch
from gatekeeper.cli._console import emit, note
from gatekeeper.cli._plane import Shape, connect, show, span, table
from gatekeeper.errors import InputError

if TYPE_CHECKING:
    from gatekeeper.client import Client

app = typer.Typer(no_args_is_help=True, help="Create, watch and drive rollouts.")

Id = Annotated[str, typer.Argument(help="The rollout's id.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it goes into the audit.")]
IfVersion = Annotated[int | None, typer.Option("--if-version", help="Only if the rollout is still at this version.")]
Format = Annotated[Shape, typer.Option("--format", help="How to print it.")]

REFRESH_PER_S = 4
REFRESH_S = 1.0


@app.command()
def create(
    *,
    policy: Annotated[Path, typer.Option(help="The policy file, YAML or JSON.", dir_okay=False)],
    service: Annotated[str, typer.Option(help="The service whose traffic is used.")],
    candidate: Annotated[str, typer.Option(help="The deployment to release.")],
    baseline: Annotated[str | None, typer.Option(help="The deployment to compare with: the one that serves.")] = None,
    name: Annotated[str | None, typer.Option("--id", help="The rollout's id; made up when not given.")] = None,
    watch_it: Annotated[bool, typer.Option("--watch", help="Stay and watch it to its end.")] = False,
    output: Format = Shape.TEXT,
) -> int:
    """Begin a rollout; a policy with faults begins nothing and names them all."""
    try:
        text = policy.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{policy}: cannot be read: {exc}") from exc
    with connect() as plane:
        shown = plane.create_rollout(
            service=service,
            policy=text,
            policy_file=str(policy),
            candidate=candidate,
            baseline=baseline,
            rollout_id=name,
        )
        if watch_it:
            return _follow(plane, shown["id"], output)
    show(shown, _watch.screen(shown), output)
    return 0


@app.command("list")
def list_all(
    *,
    service: Annotated[str | None, typer.Option(help="Only this service's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only running, promoted, rolled_back or aborted ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    output: Format = Shape.TEXT,
) -> None:
    """List rollouts, newest first."""
    with connect() as plane:
        rows = plane.rollouts(service=service, state=state, limit=limit)
    heads = ("ID", "SERVICE", "STATE", "STAGE", "CANDIDATE", "ELAPSED", "REASON")
    cells = [
        (
            row["id"],
            row["service"],
            row["state"],
            str(row["stage"] + 1),
            row["candidate_id"],
            span(row["elapsed_s"]),
            row["reason"],
        )
        for row in rows
    ]
    show({"rollouts": rows}, table(heads, cells), output)


@app.command("show")
def show_one(rollout: Id, output: Format = Shape.TEXT) -> None:
    """Show one rollout as it stands now."""
    with connect() as plane:
        shown = plane.rollout(rollout)
    show(shown, _watch.screen(shown), output)


@app.command()
def watch(rollout: Id, output: Format = Shape.TEXT) -> int:
    """Watch a rollout to its end: exits with 0 promoted, 1 rolled back, 3 aborted."""
    with connect() as plane:
        return _follow(plane, rollout, output)


@app.command()
def pause(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """Stop going forward; harm still rolls back."""
    _act(rollout, "pause", reason, if_version, output)


@app.command()
def resume(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """Go on after a pause."""
    _act(rollout, "resume", reason, if_version, output)


@app.command()
def approve(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """Approve the current stage; somebody else than its creator."""
    _act(rollout, "approve", reason, if_version, output)


@app.command()
def promote(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """Make the candidate the baseline now, whatever stages remain."""
    _act(rollout, "promote", reason, if_version, output)


@app.command()
def skip(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """Go to the next stage without this one's proof."""
    _act(rollout, "skip", reason, if_version, output)


@app.command()
def abort(rollout: Id, reason: Reason = "", if_version: IfVersion = None, output: Format = Shape.TEXT) -> None:
    """End without a ruling; all traffic goes to the baseline."""
    _act(rollout, "abort", reason, if_version, output)


@app.command()
def rollback(rollout: Id, reason: Reason = "", output: Format = Shape.TEXT) -> None:
    """Send all traffic to the baseline, now and for good."""
    _act(rollout, "rollback", reason, None, output)


def _act(rollout: str, action: str, reason: str, if_version: int | None, output: Shape) -> None:
    with connect() as plane:
        shown = plane.act(rollout, action, reason, if_match=if_version)
    show(shown, shown["sentence"], output)


def _follow(plane: Client, rollout: str, output: Shape) -> int:
    """Follow a rollout to its end: live on a terminal, a line a change elsewhere; return its exit code."""
    if sys.stdout.isatty() and output is Shape.TEXT:
        shown = _live(plane, rollout)
    else:
        for state in plane.watch(rollout):
            note(f"stage {state['stage'] + 1}, {state['candidate_bp'] / 100:g} %: {state['sentence']}")
        shown = plane.rollout(rollout)
        show(shown, _watch.screen(shown), output)
    return _watch.EXIT_CODES[shown["state"]]


def _live(plane: Client, rollout: str) -> dict[str, Any]:
    import threading  # noqa: PLC0415 - only a live screen needs it

    from rich.live import Live  # noqa: PLC0415 - 40 ms that only a live screen needs
    from rich.text import Text  # noqa: PLC0415 - as above

    ended = threading.Event()

    def listen() -> None:
        try:
            for _ in plane.watch(rollout):
                pass
        finally:
            ended.set()

    shown = plane.rollout(rollout)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    with Live(Text(_watch.screen(shown)), refresh_per_second=REFRESH_PER_S, transient=True) as live:
        while not ended.wait(REFRESH_S):
            shown = plane.rollout(rollout)
            live.update(Text(_watch.screen(shown)))
    shown = plane.rollout(rollout)
    emit(_watch.screen(shown))
    return shown
