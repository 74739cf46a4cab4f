"""Standard Webhooks signatures: only our errors come out, and weak secrets are refused."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from gatekeeper.adapters import signatures
from gatekeeper.errors import AccessError, InputError

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 64).decode()


@pytest.mark.parametrize("size", [0, 1, 23, 65])
def test_a_secret_of_the_wrong_size_is_refused(size: int):
    with pytest.raises(InputError, match="24 to 64 bytes"):
        signatures.check_secret("whsec_" + base64.b64encode(b"x" * size).decode())


@pytest.mark.parametrize("secret", ["", "5ecr3t", "whsec_***", "whsec_é", "WHSEC_" + "A" * 40])
def test_what_is_no_secret_is_refused_and_not_shown(secret: str):
    with pytest.raises(InputError) as caught:
        signatures.check_secret(secret)
    assert not secret or secret not in str(caught.value)


def test_the_reference_package_verifies_ours_and_we_verify_its():
    now_s = time.time()
    headers = signatures.sign(SECRET, "evt_1", now_s, '{"ä": 1}')
    assert Webhook(SECRET).verify('{"ä": 1}', headers) == {"ä": 1}
    signatures.verify(SECRET, headers, '{"ä": 1}'.encode(), now_s)


def test_while_a_secret_rotates_both_are_good():
    headers = signatures.sign(f"{SECRET} {OTHER}", "evt_1", 1000.0, "{}")
    for secret in (SECRET, OTHER, f"{OTHER} {SECRET}"):
        signatures.verify(secret, headers, b"{}", 1000.0)


HEADERS = st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"])


@given(st.dictionaries(HEADERS, st.text()), st.binary())
def test_garbage_is_refused_with_our_error(headers: dict[str, str], body: bytes):
    with pytest.raises(AccessError):
        signatures.verify(SECRET, headers, body, 1000.0)


@given(st.text(max_size=30), st.binary(max_size=60), st.integers(0, 2**40))
def test_any_one_change_breaks_the_signature(event_id: str, body: bytes, flip: int):
    text = body.decode(errors="ignore")
    headers = signatures.sign(SECRET, "evt_1", 1000.0, text)
    changed = bytearray(text.encode() or b"x")
    changed[flip % len(changed)] ^= 1
    with pytest.raises(AccessError):
        signatures.verify(SECRET, headers, bytes(changed), 1000.0)
    if event_id != "evt_1":
        with pytest.raises(AccessError):
            signatures.verify(SECRET, headers | {"webhook-id": event_id}, text.encode(), 1000.0)
