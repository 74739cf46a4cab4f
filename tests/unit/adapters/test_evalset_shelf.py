"""A server's evalsets: by name, from one folder, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.adapters.evalset_shelf import EvalsetShelf
from gatekeeper.errors import InputError, NotFoundError

SHIPPED = Path(__file__).parents[3] / "evalsets"


@pytest.mark.parametrize("name", ["reasoning", "evalsets/reasoning", "evalsets/reasoning/"])
def test_an_evalset_is_found_by_its_folder_with_or_without_the_roots_name(name: str) -> None:
    shelf = EvalsetShelf(SHIPPED)
    assert "reasoning" in shelf.names()
    assert shelf.read(name).name == "reasoning"


@pytest.mark.parametrize("name", ["", "evalsets", ".", "..", "../evalsets/safety", "/etc", "safety/../../evalsets"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected the name of a folder"):
        EvalsetShelf(SHIPPED).read(name)


def test_an_unknown_name_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no evalset 'nope'.*there: .*reasoning"):
        EvalsetShelf(SHIPPED).read("nope")
    with pytest.raises(NotFoundError, match="there: none"):
        EvalsetShelf(tmp_path / "away").read("nope")
