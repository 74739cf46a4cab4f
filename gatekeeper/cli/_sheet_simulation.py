"""What a simulation measured, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekeeper.cli import _sheet
from gatekeeper.cli._sheet import Block

if TYPE_CHECKING:
    from gatekeeper.flow._measures import Figure, MetricMeasure, Simulation, StageMeasure

_HEADS = (
    "metric",
    "false rollback",
    "false promotion",
    "power",
    "theory",
    "mean samples",
    "median",
    "theory's",
    "theory fits",
)


def blocks(measured: Simulation) -> list[Block]:
    """Return one block for what all stages have in common, and one for each stage."""
    lines = [
        (
            "false rollback and false promotion: of a candidate exactly at the margin; power: one `detect` beyond it "
            "is found; samples (both arms together) and their error: of those found"
        ),
        "+- is the Monte Carlo standard error; looks come 15 % apart, so that times are up to as much too long",
    ]
    if measured.cut:
        lines.append(f"traffic was ended early, to bound the work, in {', '.join(measured.cut)}")
    head = f"Simulated: {measured.replicates:,} rollouts of each kind, seed {measured.seed}"
    return [Block(head, lines=lines), *(_stage(stage) for stage in measured.stages)]


def _stage(stage: StageMeasure) -> Block:
    theory = "" if stage.agrees is None else f" (theory {_sheet.share(stage.theory_promoted)})"
    lines = [
        (
            f"a candidate equal to the baseline: rolled back {_share(stage.false_rollback)} "
            f"(budget {stage.budget:.2%}), promoted {_share(stage.promoted)}{theory}"
        ),
    ]
    if stage.mean_samples.value is not None and stage.agrees is not None:
        lines.append(
            f"promoted after {_count(stage.mean_samples)} samples on average, median "
            f"{_sheet.count(stage.median_samples)} (theory {_sheet.count(stage.theory_median)}); theory fits: "
            f"{_fits(stage.agrees)}"
        )
    title = f"Simulated stage {stage.index + 1}: {stage.title}, {stage.most_samples:,} samples in {stage.looks} looks"
    return Block(title, _HEADS, [_row(metric) for metric in stage.metrics], lines)


def _row(metric: MetricMeasure) -> tuple[str, ...]:
    return (
        metric.name,
        _share(metric.false_rollback),
        _share(metric.false_promotion),
        _share(metric.power),
        _sheet.share(metric.theory_power),
        _count(metric.mean_samples),
        _sheet.count(metric.median_samples),
        _sheet.count(metric.theory_median),
        _fits(metric.agrees),
    )


def _share(figure: Figure) -> str:
    if figure.value is None or figure.error is None:
        return "-"
    return f"{figure.value:.1%} +- {figure.error:.1%}"


def _count(figure: Figure) -> str:
    error = "" if figure.error is None else f" +- {_sheet.count(figure.error)}"
    return f"{_sheet.count(figure.value)}{error}"


def _fits(agrees: bool | None) -> str:  # noqa: FBT001 - one figure's verdict
    return "-" if agrees is None else "yes" if agrees else "NO"
