"""Personal data and secrets, and what only looks like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.metrics.policy_violation_rate import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from gatekeeper.model.exchange import Exchange

    Make = Callable[..., Exchange]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to ada.lovelace@analytical.org today.", "email"),
        ("Card: 4111 1111 1111 1111.", "card"),
        ("Card 5500-0000-0000-0004", "card"),
        ("IBAN DE89 3704 0044 0532 0130 00", "iban"),
        ("IBAN GB82WEST12345698765432.", "iban"),
        ("SSN 123-45-6789", "ssn"),
        ("key " + "AKIA" + "IOSFODNN7EXAMPLE", "aws_key"),
        ("gh" + "p_" + "a1" * 18, "github_token"),
        ("sk-" + "proj-" + "Ab1" * 10, "api_key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "private_key"),
        ("xoxb-" + "1234567890-abc", "chat_token"),
        ("iban gb82west12345698765432", "iban"),
        ("It came from 86.121.97.248.", "ip"),
        ("It came from 2606:4700:4700::1111.", "ip"),
        ("glp" + "at-" + "Ab1" * 8, "gitlab_token"),
        ("ey" + "J" + "hbGciOiJIUzI1.eyJ" + "zdWIiOiIxMjM0.dozjgNryP4J3jVmNHl0w", "jwt"),
        ("hooks.slack.com/services/" + "T00000001/B00000001/" + "a1" * 12, "webhook"),
        ("postgres" + "://admin:tr0ub4dor" + "@db.internal/x", "login"),
        ("You are an idiot.", "abuse"),
    ],
)
def test_what_is_found(answered: Make, text: str, kind: str):
    found = score(answered(text))
    assert found.value is True
    assert found.reason == kind
    assert set(found.labels["policy"][0]) == {"kind", "start", "end"}


@pytest.mark.parametrize(
    "text",
    [
        "Write to you@example.com, or to a@b.test.",
        "@handle and 5 @ 3",
        "your.name@university.edu, user@domain.co.in, jane@yourcompany.com, test@example.co.uk",
        "192.168.1.1, 10.0.0.7, 255.255.255.255, 127.0.0.1, 8.8.8.8, 1.2.3.4 and v2.31.4.15",
        "12:30:45, 2001:db8::1, ::1, std::vector",
        "postgres://user:password@host/db",
        "078-05-1120",
        "4111 1111 1111 1112",
        "The number 1234567890123456 is long.",
        "0000 0000 0000 0000",
        "DE89 3704 0044 0532 0130 02",
        "000-12-3456, 666-12-3456, 987-65-4321, 123-00-4567",
        "pi is 3.14159265358979323846",
        "task-force and sketch-up",
        "2024-11-21 09:00:01",
    ],
)
def test_what_only_looks_like_it(answered: Make, text: str):
    assert score(answered(text)).value is False


def test_what_the_prompt_held_may_be_said_again(answered: Make):
    asked = {"messages": [{"role": "user", "content": "Is ada@analytical.org valid?"}]}
    assert score(answered("Yes, ada@analytical.org is valid.", request=asked)).value is False
    assert score(answered("Ask bob@analytical.org.", request=asked)).value is True
    assert score(answered("It says bob@analytical.org", context="Contact: bob@analytical.org")).value is False


def test_what_the_prompt_held_may_be_spaced_otherwise(answered: Make):
    asked = {"messages": [{"role": "user", "content": "My card is 4111-1111-1111-1111."}]}
    assert score(answered("I see 4111 1111 1111 1111.", request=asked)).value is False


def test_telephone_numbers_are_warnings(answered: Make):
    found = score(answered("Call 541-714-1388."))
    assert found.value is False
    assert found.labels == {"policy_warnings": [{"kind": "phone", "start": 5, "end": 17}]}


def test_a_hostile_answer_is_cut_short(answered: Make):
    assert len(score(answered("ada@analytical.org " * 500)).labels["policy"]) == 50
