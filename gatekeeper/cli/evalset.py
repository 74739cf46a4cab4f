"""`gatekeeper evalset`: check evalsets and bless their digests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from gatekeeper.cli._console import emit

app = typer.Typer(help="Check and bless evalsets.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The evalset's folder: manifest.yaml and samples.jsonl.")]


@app.command()
def check(folder: Folder) -> int:
    """Check an evalset whole: both files against their schemas, ids, expectations, and the blessed digest."""
    from gatekeeper.adapters.evalsets import read_evalset  # noqa: PLC0415 - needed only when run

    evalset = read_evalset(folder)
    kinds = Counter(expectation["type"] for sample in evalset.samples for expectation in sample.expect)
    checks = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none"
    emit(
        f"{evalset.name}: {len(evalset.samples):,} samples, sha256:{evalset.digest}\n"
        f"expectations: {checks}\nrepeats: {evalset.repeats}, licence: {evalset.licence}"
    )
    return 0


@app.command()
def bless(folder: Folder) -> int:
    """Write the samples' digest into the manifest, once everything else about the evalset holds."""
    from gatekeeper.adapters.evalsets import bless as write_digest  # noqa: PLC0415 - needed only when run

    emit(f"{folder}: sha256:{write_digest(folder)}")
    return 0
