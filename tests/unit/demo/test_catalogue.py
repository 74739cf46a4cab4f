"""The catalogue: digests that change with the making, weights that are shared, names that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.demo import models
from gatekeeper.demo.catalogue import CATALOGUE, digest, entry, weights
from gatekeeper.errors import UnknownNameError


def test_every_parent_is_in_the_catalogue_and_every_bad_one_names_its_metric():
    for name, made in CATALOGUE.items():
        assert made.parent is None or made.parent in CATALOGUE
        assert (made.spoils is None) == (name in {"baseline", "good"})


def test_digests_differ_wherever_weights_do():
    own = [name for name in CATALOGUE if weights(name) == name]
    assert len({digest(name) for name in own}) == len(own)


def test_a_starved_engine_serves_the_baselines_weights():
    assert weights("starved-kv") == "baseline"
    assert models.location("starved-kv", Path("c")) == models.location("baseline", Path("c"))
    assert entry("starved-kv").flags != entry("baseline").flags


def test_an_unknown_model_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="unknown demo model 'best'; known: baseline, good"):
        entry("best")


def test_what_is_there_is_not_made_again(tmp_path: Path):
    place = models.location("good", tmp_path)
    place.mkdir(parents=True)
    told: list[str] = []
    assert models.ensure(["good"], tmp_path, lambda name, _: told.append(name)) == {"good": place}
    assert told == []


def test_what_is_missing_is_made_once_and_parents_first(tmp_path: Path):
    assert models.missing(("starved-kv", "good", "slow"), tmp_path) == ("baseline", "good", "slow")
    models.location("baseline", tmp_path).mkdir(parents=True)
    assert models.missing(("good", "baseline"), tmp_path) == ("good",)
