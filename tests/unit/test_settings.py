"""Settings come from the environment, each under its own name, and a bad value is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gatekeeper.errors import InputError
from gatekeeper.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_numbers_switches_and_secrets_are_read(tmp_path: Path):
    secret = tmp_path / "key"
    secret.write_text("gk_test\n", encoding="utf-8")
    found = read_settings(
        {
            "GATEKEEPER_MIRROR_IN_FLIGHT": "6",
            "GATEKEEPER_API_PORT": "0",
            "GATEKEEPER_EXPOSE_RELEASE": "yes",
            "GATEKEEPER_API_KEY_FILE": str(secret),
        }
    )
    assert (found.mirror_in_flight, found.api_port, found.expose_release, found.api_key) == (6, 0, True, "gk_test")


@pytest.mark.parametrize("value", ["-1", "six", "70000", ""])
def test_a_number_out_of_bounds_is_named_with_its_bounds(value: str):
    with pytest.raises(InputError, match=r"GATEKEEPER_MIRROR_IN_FLIGHT='.*': expected a whole number from 0 to 65535"):
        read_settings({"GATEKEEPER_MIRROR_IN_FLIGHT": value})
