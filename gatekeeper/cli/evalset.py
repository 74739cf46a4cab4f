"""`gatekeeper evalset`: check evalsets, bless their digests, and import them from elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatekeeper.cli._console import emit, note

if TYPE_CHECKING:
    from gatekeeper.adapters.evalset_formats._collected import Note
    from gatekeeper.decide.alike import Alike
    from gatekeeper.model.evalset import Evalset

app = typer.Typer(help="Check, bless and import evalsets.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The evalset's folder: manifest.yaml and samples.jsonl.")]


@app.command()
def check(folder: Folder) -> int:
    """Check an evalset whole: both files against their schemas, ids, expectations, likeness and the blessed digest."""
    from gatekeeper.adapters.evalsets import check_evalset  # noqa: PLC0415 - needed only when run

    evalset, near = check_evalset(folder)
    kinds = Counter(expectation["type"] for sample in evalset.samples for expectation in sample.expect)
    checks = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none"
    emit(
        f"{evalset.name}: {len(evalset.samples):,} samples, sha256:{evalset.digest}\n"
        f"expectations: {checks}\nrepeats: {evalset.repeats}, licence: {evalset.licence}\n"
        f"alike: {_alike(evalset, near)}\nreview: {evalset.review or 'none is noted in the manifest'}"
    )
    return 0


@app.command()
def bless(folder: Folder) -> int:
    """Write the samples' digest into the manifest, once everything else about the evalset holds."""
    from gatekeeper.adapters.evalsets import bless as write_digest  # noqa: PLC0415 - needed only when run
    from gatekeeper.adapters.evalsets import read_evalset  # noqa: PLC0415 - as above

    emit(f"{folder}: sha256:{write_digest(folder)}")
    if not read_evalset(folder).review:
        note("no review is noted: add `review: who read the samples, when, and what was checked how` to the manifest")
    return 0


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="The other tool's file.")],
    folder: Annotated[Path, typer.Argument(help="Where manifest.yaml and samples.jsonl go; not there yet.")],
    *,
    form: Annotated[str, typer.Option("--from", help="inspect_ai, openai_evals or promptfoo.")],
    licence: Annotated[str, typer.Option(help="SPDX identifier of the samples' licence.")],
    scorer: Annotated[
        str, typer.Option(help="How answers are compared, where the source does not say: match, includes, ...")
    ] = "",
    option: Annotated[list[str] | None, typer.Option(help="Option of the scorer, as NAME=VALUE.")] = None,
    name: Annotated[str, typer.Option(help="Which of several evals in the source.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing unless everything has a match here.")] = False,
) -> int:
    """Bring another tool's evalset into this layout; what has no match here is listed, never dropped in silence."""
    from gatekeeper.adapters.evalset_formats._collected import Wanted  # noqa: PLC0415 - needed only when run
    from gatekeeper.adapters.evalset_import import import_evalset  # noqa: PLC0415 - as above

    wanted = Wanted(scorer=scorer, options=_options(option or []), name=name)
    collected = import_evalset(form, source, folder, licence=licence, wanted=wanted, strict=strict)
    checks = sum(len(sample.get("expect", ())) for sample in collected.samples)
    bare = sum(not sample.get("expect") and "response_schema" not in sample for sample in collected.samples)
    emit(
        f"{folder}: {len(collected.samples):,} samples, {checks:,} expectations, {bare:,} samples without any check\n"
        + _listed("not mapped", collected.unmapped)
        + _listed("mapped, but not to quite the same", collected.adapted)
        + f"next: read the samples, then run `gatekeeper evalset bless {folder}`"
    )
    return 0


def _options(told: list[str]) -> dict[str, str | float | bool]:
    """Read NAME=VALUE; true, false and numbers are what they say."""
    import json  # noqa: PLC0415 - needed only when run

    read: dict[str, str | float | bool] = {}
    for each in told:
        name, _, value = each.partition("=")
        try:
            read[name] = json.loads(value)
        except ValueError:
            read[name] = value
    return read


def _listed(title: str, notes: list[Note]) -> str:
    """List notes under their number; nothing for none."""
    return "".join([f"{title}: {len(notes)}\n", *(f"- {note}\n" for note in notes)]) if notes else ""


def _alike(evalset: Evalset, near: list[Alike]) -> str:
    """Say how alike the prompts are, numbers aside."""
    from gatekeeper.adapters.evalsets import NEAR  # noqa: PLC0415 - needed only when run

    least = evalset.max_similarity or NEAR
    if not near:
        return f"no prompt shares {least:.0%} of its text with another"
    many = len({place for pair in near for place in (pair.later, pair.earlier)})
    most = max(near, key=lambda pair: pair.share)
    first, second = evalset.samples[most.earlier].id, evalset.samples[most.later].id
    return f"{many:,} prompts share {least:.0%} or more of their text with another, as {first} and {second}"
