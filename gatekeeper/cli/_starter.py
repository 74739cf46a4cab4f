"""The policy that `gatekeeper policy init` writes: complete, commented, and meant to be changed."""

from __future__ import annotations

import json

_TEXT = """\
# yaml-language-server: $schema=./policy.schema.json
# What a candidate must hold to take over. Check this file: gatekeeper policy validate FILE
policy: {name}

# Error probabilities of the WHOLE rollout: all looks, stages, metrics and segments together.
error_budget: {{false_rollback: 0.01, false_promotion: 0.05}}

# Keys of the samples' segment object; each value is judged on its own, and all together.
# segments: [workload, tenant_tier]

# pp: percentage points; %: relative to the baseline; a bare number: the metric's own unit.
# Proven worse than a margin: back. To go forward, every metric must be proven within its margin.
metrics:
  refusal_rate:        {{max_increase: 2pp}}
  degeneration_rate:   {{max_increase: 2pp}}
  error_rate:          {{max_increase: 1pp, limit: 5%}}  # limit: bounds the candidate, whatever the baseline does
  ttft_ms.p95:         {{max_increase: 20%}}
  # json_validity:     {{max_decrease: 1pp}}             # where requests ask for JSON
  # task_success:      {{max_decrease: 2pp}}             # where answers can be checked
  completion_tokens:   {{watch: true}}                   # shown, never decides

stages:
  - warmup: {{requests: 20}}  # nobody sees these answers, nothing is judged
  - shadow: {{mirror: 20%, max_wait: 2h, on_undecided: hold}}
  - canary: {{weight: 5%, max_wait: 2h, on_undecided: rollback}}
  - canary: {{weight: 25%, max_wait: 4h, on_undecided: hold}}
  - canary: {{weight: 50%, max_wait: 4h, on_undecided: hold, needs_approval: true}}
  - bake:   {{wait: 24h}}     # promoted, still watched; a breach rolls back

# No step forward in these windows; a rollback always works.
# freeze: ["Fri 16:00/Mon 08:00 Europe/Berlin"]
"""


def starter(service: str) -> str:
    """Return a policy file's text for a service."""
    return _TEXT.format(name=json.dumps(service))
