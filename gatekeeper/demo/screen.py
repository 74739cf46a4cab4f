"""The demo's live screen: what is tried, where it stands, what is measured, in one panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gatekeeper.demo.acts import Act

if TYPE_CHECKING:
    from gatekeeper.demo.acts import Ending

COLOURS: Mapping[str, str] = {"pass": "green", "fail": "red", "error": "magenta", "inconclusive": "yellow"}
MARKS: Mapping[str, tuple[str, str]] = {
    "done": ("✔", "green"),
    "current": ("▶", "bold cyan"),
    "failed": ("✖", "bold red"),
    "waiting": ("·", "dim"),
}
SIMULATED = "SIMULATED ENGINES: no model runs here"


@dataclass(slots=True)
class Scene:
    """Hold what the panel shows; the story writes it, `panel` reads it. steps: each stage and its state."""

    act: Act
    number: int
    of: int
    simulated: bool
    doing: str = ""
    steps: Sequence[tuple[str, str]] = ()
    shares: str = ""
    samples: int = 0
    rate: float = 0.0
    sentence: str = ""
    findings: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def panel(scene: Scene) -> Panel:
    """Draw a scene: the act, its steps, the sentence that decides and one line for each metric."""
    steps = Text()
    for step, state in scene.steps:
        mark, style = MARKS.get(state, MARKS["waiting"])
        steps.append(f"{mark} {step}   ", style)
    counts = f"{scene.shares}   {scene.samples} samples   {scene.rate:.0f} requests/s"
    rows: list[Any] = [
        Text(scene.act.about, "italic"),
        steps,
        Text(scene.doing or counts, "dim"),
        findings(scene.findings),
    ]
    rows.append(Text(scene.sentence, "bold"))
    title = f"{scene.number}/{scene.of}  {scene.act.name}: must be {scene.act.expected}"
    subtitle = f"[bold yellow]{SIMULATED}[/]" if scene.simulated else "real vLLM servers"
    return Panel(Group(*rows), title=title, subtitle=subtitle, border_style="cyan")


def findings(found: Sequence[Mapping[str, Any]]) -> Table:
    """Draw one line for each metric: both arms, the ruling, and its interval."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=bool(found))
    for column in ("metric", "baseline", "candidate", "difference", "margin", "ruling"):
        table.add_column(column, justify="left" if column in ("metric", "ruling") else "right")
    for finding in found:
        ruling = finding["ruling"]
        effect = finding["effect"]
        table.add_row(
            finding["metric"],
            *(_number(finding[arm]["value"]) for arm in ("baseline", "candidate")),
            f"{_signed(effect['estimate'])} [{_signed(effect['lower'])}, {_signed(effect['upper'])}]",
            _number(finding["margin"]),
            Text(ruling, COLOURS[ruling]),
        )
    return table


def closing_table(endings: Sequence[Ending], *, simulated: bool) -> Group:
    """Draw how every act ended, whether that was right, and below it why, and where to look at it."""
    title = "What became of each release" + (f" ({SIMULATED})" if simulated else "")
    table = Table(title=title, title_style="bold yellow" if simulated else "bold", title_justify="left")
    for column in ("release", "must be", "was", "right"):
        table.add_column(column)
    table.add_column("after", justify="right")
    table.add_column("samples", justify="right")
    why = []
    for ending in endings:
        right = Text("yes", "green") if ending.right else Text("NO", "bold red")
        was = ending.state.replace("_", " ")
        took = f"{ending.took_s:.0f} s"
        table.add_row(ending.act.name, ending.act.expected, was, right, took, str(ending.samples))
        why.append(Text.assemble((ending.act.name, "bold"), f": {ending.reason}\n  {ending.link}"))
    return Group(table, *why)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _signed(value: float | None) -> str:
    return "?" if value is None else f"{value:+.3g}"
