"""Policies with faults: every message, with its place, as people have come to know it.

A golden file is what `gatekeeper policy validate NAME.yaml` says, without its `error: `.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gatekeeper.decide.policyfile import parse_policy
from gatekeeper.errors import PolicyError

HERE = Path(__file__).parent / "policies"
FAULTY = sorted(path.stem for path in HERE.glob("*.txt"))


@pytest.mark.parametrize("name", FAULTY)
def test_every_fault_is_told_at_once_with_its_place(name: str) -> None:
    text = (HERE / f"{name}.yaml").read_text(encoding="utf-8")
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, file=f"{name}.yaml")
    assert str(raised.value) == (HERE / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")


def test_five_faults_are_five_messages_with_line_and_column() -> None:
    with pytest.raises(PolicyError) as raised:
        parse_policy((HERE / "five_faults.yaml").read_text(encoding="utf-8"))
    places = [(fault.line, fault.column) for fault in raised.value.faults]
    assert places == [(2, 32), (4, 3), (5, 19), (6, 31), (8, 22)]


def test_a_whole_policy_keeps_its_digest() -> None:
    policy = parse_policy((HERE / "support_bot.yaml").read_text(encoding="utf-8"))
    assert policy.digest == "dd6578a973959c7d1db84357810044493bf67f92dc4a273aa07c6a6a3906de6f"
