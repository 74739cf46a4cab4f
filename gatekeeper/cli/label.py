"""`gatekeeper label`: read pairs, say what they are, and see the detector's rates put right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import emit, note
from gatekeeper.cli._sheet import SheetFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gatekeeper.flow.label import Reading
    from gatekeeper.model.correction import PairLabel

app = typer.Typer(
    no_args_is_help=True,
    help="Label pairs of answers by hand: a detector's errors in each arm, its rates put right.",
)

Exchanges = Annotated[Path, typer.Argument(help="Exchanges with pair_id, a JSON object a line; .gz too.")]
Labels = Annotated[Path, typer.Option("--labels", "-l", help="File of labels; new ones are added at its end.")]
Metric = Annotated[str, typer.Option(help="Whose detector is checked.")]
Discordant = Annotated[int, typer.Option(min=0, help="Pairs in which the detector's answers differ.")]
Agreeing = Annotated[int, typer.Option(min=0, help="Pairs in which they agree, half of them flagged in both arms.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draw.")]
By = Annotated[str, typer.Option(help="Who labels; kept with each label.")]


@app.command()
def draw(
    exchanges: Exchanges,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the pairs here, a JSON object a line.")],
    metric: Metric = "refusal_rate",
    discordant: Discordant = 60,
    agreeing: Agreeing = 60,
    seed: Seed = 1,
) -> int:
    """Draw pairs by lot and write them down; fill in baseline and candidate (true or false), then `label add`."""
    order, texts = _drawn(exchanges, metric, discordant=discordant, agreeing=agreeing, seed=seed)
    lines = [
        {
            "pair_id": pair,
            "metric": metric,
            "baseline": None,
            "candidate": None,
            "prompt": texts[pair].prompt,
            "baseline_answer": texts[pair].baseline,
            "candidate_answer": texts[pair].candidate,
        }
        for pair in order
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    note(f"{output}: {len(order):,} pairs; set baseline and candidate to true where the answer counts for {metric}")
    return 0


@app.command()
def ask(
    exchanges: Exchanges,
    *,
    labels: Labels,
    metric: Metric = "refusal_rate",
    discordant: Discordant = 60,
    agreeing: Agreeing = 60,
    seed: Seed = 1,
    by: By = "",
) -> int:
    """Show pairs drawn by lot, one answer at a time and in no telling order, and ask what each is.

    Every answer is kept at once; run it again to go on.
    """
    from gatekeeper.cli._label_ask import ask_person  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.correct import read_labels  # noqa: PLC0415 - as above
    from gatekeeper.flow.label import keep  # noqa: PLC0415 - as above

    known = read_labels(labels) if labels.exists() else []
    done = {label.pair_id for label in known if label.metric == metric}
    order, texts = _drawn(exchanges, metric, discordant=discordant, agreeing=agreeing, seed=seed)
    waiting = [texts[pair] for pair in order if pair not in done]
    told = set()
    for label in ask_person(waiting, metric, seed=seed, by=by):
        keep([label], labels)
        told.add(label.pair_id)
    note(f"{labels}: {len(told):,} pairs labelled now, {len(waiting) - len(told):,} of {len(order):,} left")
    return 0


@app.command()
def add(
    filled: Annotated[Path, typer.Argument(help="Pairs as `label draw` wrote them, filled in.")],
    *,
    labels: Labels,
    by: By = "",
) -> int:
    """Take over labels from a file; what stands there wrong is named, and then nothing is taken over."""
    from dataclasses import replace  # noqa: PLC0415 - needed only when run

    from gatekeeper.flow.label import filled_in, keep  # noqa: PLC0415 - as above

    found, left = filled_in(filled)
    keep([replace(label, by=label.by or by) for label in found], labels)
    note(f"{labels}: {len(found):,} labels added" + (f"; {left:,} pairs are still open" if left else ""))
    return 0


@app.command()
def show(
    samples: Annotated[str, typer.Argument(help="Samples of the labelled exchanges, as `score` writes them.")],
    *,
    labels: Labels,
    format: Annotated[SheetFormat, typer.Option(help="Form of the result on stdout.")] = SheetFormat.TEXT,  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result here too.")] = None,
) -> int:
    """Show the detector's errors in each arm, and each rate raw and corrected, with its interval."""
    from gatekeeper.flow.correct import corrections, read_labels  # noqa: PLC0415 - needed only when run

    found = corrections(samples, _some(read_labels(labels), labels))
    if format is SheetFormat.JSON:
        from gatekeeper.model.wire import to_dict  # noqa: PLC0415 - one form is wanted

        text = json.dumps({"corrections": [to_dict(one) for one in found]}, indent=2, allow_nan=False)
    else:
        from gatekeeper.cli import _render_corrections, _sheet  # noqa: PLC0415 - as above

        blocks = [_render_corrections.block(one) for one in found]
        text = (_sheet.text if format is SheetFormat.TEXT else _sheet.markdown)(blocks)
    emit(text, output=output)
    return 0


def _some(labels: list[PairLabel], path: Path) -> list[PairLabel]:
    from gatekeeper.errors import InputError  # noqa: PLC0415 - needed only when run

    if not labels:
        raise InputError(f"{path}: holds no label; `gatekeeper label ask` or `label add` makes some")
    return labels


def _drawn(
    exchanges: Path, metric: str, *, discordant: int, agreeing: int, seed: int
) -> tuple[list[str], dict[str, Reading]]:
    """Return the drawn pairs' ids in order, and what is to be read of each."""
    from gatekeeper.flow.label import draw as drawn  # noqa: PLC0415 - needed only when run
    from gatekeeper.flow.label import flagged_pairs, readings  # noqa: PLC0415 - as above

    pairs = flagged_pairs(_lines(exchanges), str(exchanges), metric)
    order = drawn(pairs, discordant=discordant, agreeing=agreeing, seed=seed)
    return order, readings(_lines(exchanges), set(order))


def _lines(path: Path) -> Iterator[bytes]:
    import gzip  # noqa: PLC0415 - needed only when run

    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from file
