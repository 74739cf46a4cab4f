"""Independent work side by side gives what it gives one after the other."""

from __future__ import annotations

from functools import partial
from threading import Barrier

import pytest

from gatekeeper import abreast as module
from gatekeeper.abreast import MANY, abreast


def failing(what: str) -> int:
    raise ValueError(what)


@pytest.mark.parametrize("rows", [0, MANY])
def test_what_is_found_comes_in_the_order_of_the_work(rows: int):
    assert abreast([partial(divmod, i, 3) for i in range(50)], rows) == [divmod(i, 3) for i in range(50)]
    assert abreast([], rows) == []


@pytest.mark.parametrize("rows", [0, MANY])
def test_the_first_failure_is_told(rows: int):
    work = [partial(int, "1"), partial(failing, "first"), partial(failing, "second")]
    with pytest.raises(ValueError, match="first"):
        abreast(work, rows)


def test_many_rows_are_worked_on_at_the_same_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "cores", lambda: 2)
    both = Barrier(2, timeout=30)
    assert sorted(abreast([both.wait, both.wait], MANY)) == [0, 1]


def test_one_core_works_on_one_after_the_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "cores", lambda: 1)
    monkeypatch.setattr(module, "ThreadPoolExecutor", partial(failing, "no threads"))
    assert abreast([partial(int, "1")], MANY) == [1]
