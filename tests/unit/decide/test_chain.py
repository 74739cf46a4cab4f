"""The audit chain shows what was changed, removed or moved."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.decide.chain import seal, verify
from gatekeeper.model.audit import AuditEntry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), min_size=2, max_size=6)


def chain(bodies: list[dict[str, object]]) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for version, body in enumerate(bodies):
        entry = AuditEntry(rollout_id="r", version=version, ts=version + 0.1, actor="a", event="e", body=body)
        entries.append(seal(entry, entries[-1].hash if entries else ""))
    return entries


@given(BODIES)
def test_a_whole_chain_has_no_faults(bodies: list[dict[str, object]]):
    entries = chain(bodies)
    assert verify(entries) == []
    assert verify(entries, last_version=len(bodies) - 1) == []


@given(BODIES, st.data())
def test_every_change_is_found(bodies: list[dict[str, object]], data: st.DataObject):
    entries = chain(bodies)
    place = data.draw(st.integers(0, len(entries) - 1))
    field, value = data.draw(
        st.sampled_from([("actor", "b"), ("ts", 99.0), ("event", "f"), ("body", {"new": 1}), ("rollout_id", "s")])
    )
    entries[place] = replace(entries[place], **{field: value})
    assert any("changed" in fault for fault in verify(entries))


@given(BODIES, st.data())
def test_every_missing_entry_is_found(bodies: list[dict[str, object]], data: st.DataObject):
    entries = chain(bodies)
    place = data.draw(st.integers(0, len(entries) - 1))
    del entries[place]
    faults = verify(entries, last_version=len(bodies) - 1)
    assert any(f"version {place}" in fault and "missing" in fault for fault in faults)


@given(BODIES, st.data())
def test_every_swap_is_found(bodies: list[dict[str, object]], data: st.DataObject):
    entries = chain(bodies)
    place = data.draw(st.integers(0, len(entries) - 2))
    entries[place : place + 2] = entries[place : place + 2][::-1]
    assert any("reordered" in fault for fault in verify(entries))


def test_an_entry_resealed_after_a_change_no_longer_continues_the_chain():
    entries = chain([{}, {}, {}])
    entries[1] = seal(replace(entries[1], actor="forger"), entries[0].hash)
    assert verify(entries) == ["rollout r version 2: changed: it does not continue the entry before it"]


def test_a_cut_end_is_named():
    assert verify(chain([{}, {}]), last_version=4) == ["missing at the end: versions 2 to 4"]
    assert verify([], last_version=0) == ["missing at the end: version 0"]
