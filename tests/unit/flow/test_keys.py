"""API keys: shown once, known by digest, refused when revoked or changed."""

from __future__ import annotations

import re

import pytest

from gatekeeper.adapters.memory import MemoryStore
from gatekeeper.errors import AccessError, InputError
from gatekeeper.flow import keys
from gatekeeper.model.key import Scope


def test_a_key_is_known_by_its_whole_text_only():
    with MemoryStore().unit() as unit:
        key, text = keys.mint(unit, " alice ", Scope.OPERATOR)
        assert re.fullmatch(rf"gk_live_{key.id}_[0-9a-f]{{48}}", text)
        assert keys.authenticate(unit, text) == key
        assert (key.name, key.scope) == ("alice", Scope.OPERATOR)
        assert text not in repr(unit.keys.list())
        for wrong in (text[:-1], text + "0", text.upper(), key.digest, "", "gk_live_é"):
            with pytest.raises(AccessError):
                keys.authenticate(unit, wrong)
        unit.keys.revoke(key.id)
        with pytest.raises(AccessError, match="revoked"):
            keys.authenticate(unit, text)


def test_the_first_key_is_made_once_even_when_it_was_revoked():
    store = MemoryStore()
    with store.unit() as unit:
        text = keys.first_key(unit)
        assert text
        assert keys.authenticate(unit, text).scope is Scope.ADMIN
        assert keys.first_key(unit) is None
        unit.keys.revoke(unit.keys.list()[0].id)
        assert keys.first_key(unit) is None


@pytest.mark.parametrize(("name", "env"), [("", "live"), (" ", "live"), ("x" * 101, "live"), ("x", "a_b"), ("x", "")])
def test_names_and_environments_have_bounds(name: str, env: str):
    with MemoryStore().unit() as unit, pytest.raises(InputError):
        keys.mint(unit, name, Scope.VIEWER, env)
