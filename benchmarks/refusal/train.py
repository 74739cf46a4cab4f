"""Train the model that ships: `train.py` writes gatekeeper/metrics/_refusal_weights.json. Needs scikit-learn."""

from __future__ import annotations

import json
from dataclasses import asdict

import data
import learn
import numpy as np

from gatekeeper.metrics._refusal_model import WEIGHTS


def main() -> None:
    """Fit on every row and write the weights, a gram a line, so that a change can be read."""
    full = learn.table(data.rows())
    weights, _, _ = learn.fit(full, np.ones(len(full.rows), bool))
    WEIGHTS.write_text(json.dumps(asdict(weights), indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{(full.target >= 0).sum()} rows taught, {len(weights.grams)} grams, bias {weights.bias:.2f}")


if __name__ == "__main__":
    main()
