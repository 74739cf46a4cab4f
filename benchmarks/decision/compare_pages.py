"""The comparison's tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import compare
from pages import IMAGES, markdown, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

LEAST_DRAWN = 5e-4
STYLES: dict[str, dict[str, Any]] = {
    compare.OURS: {"color": "#0b6e4f", "linewidth": 2.6, "zorder": 5},
    compare.ORACLE: {"color": "#555555", "linestyle": ":"},
}


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """Return both tables by the name of their place on the page."""
    return {"false-rollbacks": _false_rollbacks(results["A/A 2%"]), "samples": _samples(results)}


def _false_rollbacks(result: Mapping[str, Any]) -> str:
    """Show how often an equal candidate has been stopped by each look."""
    rows = [
        [rule, *(f"{figures['by_look'][look - 1]:.3f}" for look in compare.SHOWN), f"± {figures['error']:.3f}"]
        for rule, figures in result["rules"].items()
    ]
    return markdown(["rule", *(f"{look} looks" for look in compare.SHOWN), "error"], rows)


def _samples(results: Mapping[str, Any]) -> str:
    """Show median, mean (in limits) and power for each worse candidate."""
    worse = {name: result for name, result in results.items() if result["limit"] is not None}
    rows = [["the limit, samples per arm", *(number(result["limit"]) for result in worse.values())]]
    for rule in dict.fromkeys(rule for result in worse.values() for rule in result["rules"]):
        cells = [_cell(result["rules"].get(rule), result["limit"]) for result in worse.values()]
        rows.append([rule, *cells])
    return markdown(["rule", *worse], rows)


def _cell(figures: Mapping[str, Any] | None, limit: float) -> str:
    """Write "median / mean (power)"; the first two in units of the limit."""
    if figures is None:
        return ""
    median, mean, error = (figures[name] / limit for name in ("median", "mean", "mean_error"))
    return f"{median:.2f} / {mean:.2f} ± {error:.2f} ({figures['power_at_5_limits']:.2f})"


def plots(results: Mapping[str, Any]) -> None:
    """Draw both plots."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy, and only when all is measured

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "gatekeeper", "font.size": 9})
    import matplotlib.pyplot as plt  # noqa: PLC0415 - as above

    for name, draw in (("false-rollbacks", _draw_looks), ("samples-to-decision", _draw_effects)):
        figure, axes = plt.subplots(figsize=(8.6, 4.6), layout="constrained")
        draw(axes, results)
        axes.grid(alpha=0.25, which="both")
        axes.legend(fontsize=7.5, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


def _style(rule: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a rule is drawn: thin and dashed where it stops more equal candidates than promised."""
    found = results["A/A 2%"]["rules"].get(rule)
    if found is None or found["stopped"] <= compare.ALPHA + 3.0 * found["error"]:
        return STYLES.get(rule, {})
    return {"linestyle": "-.", "linewidth": 1.0, "alpha": 0.7}


def _draw_looks(axes: Axes, results: Mapping[str, Any]) -> None:
    """Draw false rollbacks against looks, with the promised bound."""
    result = results["A/A 2%"]
    looks = range(1, result["looks"] + 1)
    for rule, figures in result["rules"].items():
        if rule != compare.WHOLE:
            axes.plot(looks, figures["by_look"], label=rule, **_style(rule, results))
    axes.axhline(compare.ALPHA, color="black", linestyle="--", label=f"promised: at most {compare.ALPHA}")
    axes.set(xscale="log", xlabel="looks, each after 100 more requests per arm", ylabel="equal candidates rolled back")
    axes.set(yscale="log", ylim=(LEAST_DRAWN, 1.2))
    axes.set_xticks(compare.SHOWN, [str(look) for look in compare.SHOWN])
    axes.minorticks_off()
    axes.set_title("An equal candidate (2 % against 2 %)")


def _draw_effects(axes: Axes, results: Mapping[str, Any]) -> None:
    """Draw median samples against effect, with the limit that no rule can beat on average."""
    chosen = [result for result in results.values() if result["limit"] and result["p_a"] == 0.02]  # noqa: PLR2004 - one curve
    effects = [100.0 * (result["p_b"] - result["p_a"]) for result in chosen]
    for rule in chosen[0]["rules"]:
        if rule != compare.WHOLE:
            line = [result["rules"][rule]["mean"] for result in chosen]
            axes.plot(effects, line, marker=".", label=rule, **_style(rule, results))
    axes.plot(effects, [result["limit"] for result in chosen], "k--", label="limit of every always-valid rule")
    axes.set(xscale="log", yscale="log", xlabel="candidate worse by (percentage points)", ylabel="mean samples per arm")
    axes.set_xticks(effects, [f"{effect:g}" for effect in effects])
    axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    axes.set_title("A worse candidate (2 % and more; 1 pp declared)")
