"""Two plots: what a request and a token cost, and what a proxy adds to an answer's time."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from proxies import OURS, PEERS
from show import IMAGES, figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

_LEAST_MS = 0.01
SHOWN = """\
![CPU time per request and per token, by proxy](images/gateway-cpu.svg)

![Time added to a whole answer and to the first token, by proxy](images/gateway-latency.svg)"""


def draw(results: Mapping[str, Any]) -> None:
    """Write both plots."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy, and only when all is measured

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "gatekeeper", "font.size": 9})
    import matplotlib.pyplot as plt  # noqa: PLC0415 - as above

    for name, titles, one in (
        ("gateway-cpu", {"requests": "CPU µs per request", "firehose": "CPU µs per token at 12,800/s"}, _cpu),
        (
            "gateway-latency",
            {"latency": "added to a whole answer, ms", "first-token": "added to the first token, ms"},
            _added,
        ),
    ):
        drawn, both = plt.subplots(1, 2, figsize=(8.6, 2.6), layout="constrained", sharey=True)
        for axes, (scenario, title) in zip(both, titles.items(), strict=True):
            one(axes, results, scenario)
            axes.set(xscale="log", title=title)
            axes.grid(alpha=0.25, axis="x")
            axes.set_axisbelow(True)
        both[0].invert_yaxis()
        drawn.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
        plt.close(drawn)


def _color(server: str) -> str:
    return "#0b6e4f" if server == OURS else "#9aa5ab"


def _cpu(axes: Axes, results: Mapping[str, Any], scenario: str) -> None:
    """Draw a bar for the median, and a line from the least to the greatest."""
    for place, server in enumerate(PEERS):
        if used := figures(results, scenario, server, "cpu_us"):
            axes.barh(place, statistics.median(used), color=_color(server))
            axes.plot([min(used), max(used)], [place, place], color="black", linewidth=1.2)
            axes.annotate(f" {statistics.median(used):,.0f}", (max(used), place), va="center", fontsize=8)
    axes.set_yticks(range(len(PEERS)), list(PEERS))
    axes.margins(x=0.15)


def _added(axes: Axes, results: Mapping[str, Any], scenario: str) -> None:
    """Draw a line from the median to the 99th percentile; what is below a hundredth is drawn there."""
    for place, server in enumerate(PEERS):
        pair = [figures(results, scenario, server, f"added_{name}") for name in ("p50_ms", "p99_ms")]
        if all(pair):
            low, high = (max(_LEAST_MS, statistics.median(one)) for one in pair)
            axes.plot([low, high], [place, place], color=_color(server), linewidth=3.0)
            axes.plot([low], [place], marker="o", color=_color(server), label="p50" if place == 0 else None)
            axes.plot(
                [high], [place], marker="|", markersize=12, color=_color(server), label="p99" if place == 0 else None
            )
    axes.set_yticks(range(len(PEERS)), list(PEERS))
    axes.margins(x=0.1, y=0.2)
    axes.legend(fontsize=8, frameon=False)
