"""The reference pages say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from gatekeeper.cli._lazy import COMMANDS
from gatekeeper.cli._reference import policy_reference
from gatekeeper.cli._starter import starter
from gatekeeper.decide.policyfile import parse_policy

PAGES = Path(__file__).parents[3] / "docs" / "reference"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_the_policy_page_ends_in_the_tables_of_the_schema() -> None:
    assert page("policy").endswith(policy_reference())


def test_the_policy_page_shows_a_policy_that_is_valid() -> None:
    example, more = re.findall(r"```yaml\n(.*?)```", page("policy"), re.DOTALL)
    assert parse_policy(example).name == "support-bot"
    policy = parse_policy(example + more)
    assert policy.cohorts is not None
    assert len(policy.segment_rules) == 4


def test_the_commands_page_lists_every_command_as_help_does() -> None:
    rows = re.findall(r"^\| `gatekeeper (\w+)` \| (.*?) \|$", page("cli"), re.MULTILINE)
    assert [name for name, _ in rows] == list(COMMANDS)
    for name, text in rows:
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).partition(": `")[0]
        assert plain.lower() == COMMANDS[name].lower(), name


def test_the_commands_page_shows_what_validate_says_of_the_starter() -> None:
    policy = parse_policy(starter("support-bot"))
    told = f"{policy.name}, {len(policy.metrics)} metrics, {len(policy.stages)} stages, digest {policy.digest[:12]}"
    assert f"policy.yaml: valid: {told}\n" in page("cli")


def test_the_commands_page_shows_faults_as_they_are_told() -> None:
    golden = Path(__file__).parents[2] / "golden" / "policies" / "five_faults.txt"
    for line in golden.read_text(encoding="utf-8").splitlines()[:3]:
        assert f"error: {line.replace('five_faults', 'faulty')}\n" in page("cli")
