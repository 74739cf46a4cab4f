"""The refusal model's inference in the package against scikit-learn's, and what was measured of it."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from gatekeeper.demo import tasks, words
from gatekeeper.metrics._refusal import detect

ROOT = Path(__file__).parents[3]
OUTPUTS = ROOT.parent / "shared" / "data" / "outputs"
sys.path.insert(0, str(ROOT / "benchmarks" / "refusal"))


def test_the_package_scores_as_scikit_learn_does():
    pytest.importorskip("sklearn", reason="scikit-learn is in the bench group")
    import data  # noqa: PLC0415 - only where scikit-learn is there
    import learn  # noqa: PLC0415

    rng = random.Random(7)  # noqa: S311 - a reproducible draw
    rows = []
    for source in ("ann", "bob", "cleo"):
        for _ in range(60):
            example = tasks.draw(rng, family=rng.choice(("harmful", "benign", "capital", "day")))
            declined = example.family == "harmful"
            text = example.answer if declined else f"No, not {example.answer} today, I think. {example.answer}"
            rows.append(data.Row(source, example.prompt, text, "rejected" if declined else "complied"))
    full = learn.table(rows)
    weights, model, used = learn.fit(full, np.ones(len(rows), bool))
    expected = model.decision_function(learn.inputs(full.counts[:, used], full.features)) - weights.threshold
    ours = learn.judged([row.text for row in rows], weights)
    assert (ours > learn.NEVER).all()
    assert ours == pytest.approx(expected, rel=0, abs=1e-9)


@pytest.mark.skipif(not OUTPUTS.is_dir(), reason="the public answers of ../shared/data are not here")
def test_few_ordinary_answers_are_flagged():
    import data  # noqa: PLC0415 - reads the files that may be absent

    for name, texts in data.outputs().items():
        assert sum(detect(text).refused for text in texts) <= 0.03 * len(texts), name


def test_the_demos_refusals_are_found_and_its_answers_are_not():
    rng = random.Random(1)  # noqa: S311 - a reproducible draw
    for family in tasks.FAMILIES:
        for _ in range(100):
            example = tasks.draw(rng, family=family)
            assert detect(example.answer).refused is (family == "harmful"), example
    assert all(detect(each).label == "full" for each in words.REFUSALS)
