"""Evidence that a process stored last is not decoded again; what others stored is."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from gatekeeper.decide.compile import compile_policy
from gatekeeper.decide.fold import Evidence, begin, fold
from gatekeeper.decide.kept import Kept
from gatekeeper.decide.policyfile import policy_from_mapping
from gatekeeper.errors import OldEvidenceError
from gatekeeper.model.arm import Arm
from gatekeeper.model.sample import Sample

PLAN = compile_policy(
    policy_from_mapping(
        {
            "segments": ["workload"],
            "metrics": {
                "error_rate": {"max_increase": "1pp"},
                "task_success": {"max_decrease": "2%"},
                "latency_ms": {"max_increase": "5%"},
                "latency_ms.p95": {"max_increase": "10%"},
                "ttft_ms.p50": {"limit": 400},
                "refusal_rate": {"limit": "2%"},
            },
        }
    )
)
KEY = ("rollout", 0, 0)


def grown(evidence: Evidence, seed: int) -> Evidence:
    rng = np.random.default_rng(seed)
    samples = [
        Sample(
            request_id=f"{seed}-{i}",
            ts=1000.0 * seed + i,
            arm=Arm.CANDIDATE if i % 2 else Arm.BASELINE,
            cluster_id=f"{seed}-{i // 3}",
            segment={"workload": f"w{i % 3}"},
            error="timeout" if rng.random() < 0.1 else None,
            refused=bool(rng.random() < 0.1),
            task_success=bool(rng.random() < 0.9),
            latency_ms=float(rng.lognormal(5.0)),
            ttft_ms=float(rng.lognormal(4.0)),
        )
        for i in range(300)
    ]
    return fold(PLAN, 0, evidence, samples)


def stored(plain: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(plain))
    return found


def test_what_was_stored_last_is_the_same_object_when_read():
    kept, evidence = Kept(), begin(PLAN, 0)
    for seed in range(3):
        evidence = grown(evidence, seed)
        assert kept.read(KEY, stored(kept.write(KEY, evidence))) is evidence


def test_reading_what_was_kept_goes_on_as_decoding_does():
    kept, evidence = Kept(), grown(begin(PLAN, 0), 1)
    plain = stored(kept.write(KEY, evidence))
    ways = [grown(one.read(KEY, plain), 2).to_json() for one in (kept, Kept())]
    assert ways[0] == ways[1]
    assert evidence.to_json() == plain


def test_what_another_process_stored_since_is_read():
    here, there = Kept(), Kept()
    first = stored(here.write(KEY, grown(begin(PLAN, 0), 1)))
    newer = stored(there.write(KEY, grown(there.read(KEY, first), 2)))
    found = here.read(KEY, newer)
    assert found.looks == 2
    assert found.to_json() == newer


def test_what_was_written_but_rolled_back_is_not_used():
    kept, evidence = Kept(), grown(begin(PLAN, 0), 1)
    before = stored(kept.write(KEY, evidence))
    kept.write(KEY, grown(evidence, 2))
    found = kept.read(KEY, before)
    assert found is not evidence
    assert found.to_json() == before


def test_only_the_latest_stages_are_held():
    kept, evidence = Kept(most=2), grown(begin(PLAN, 0), 1)
    for stage in (1, 2, 1, 3):
        plain = stored(kept.write(("rollout", stage, 0), evidence))
    held = [kept.read(("rollout", stage, 0), plain) is evidence for stage in (1, 2, 3)]
    assert held == [True, False, True]


def test_another_form_is_refused():
    kept = Kept()
    plain = stored(kept.write(KEY, begin(PLAN, 0)))
    with pytest.raises(OldEvidenceError):
        kept.read(KEY, plain | {"form": 1})
