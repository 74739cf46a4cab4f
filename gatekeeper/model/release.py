"""What is released, where it runs, and under which name users ask for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Hold an immutable bundle that can serve a service; its identity is the digest of its content.

    engine_flags: the engine's command-line flags, names without dashes.
    """

    model: str
    revision: str = ""
    engine: str = "vllm"
    engine_flags: dict[str, str] = field(default_factory=dict)
    prompt_version: str = ""
    safety_policy_version: str = ""
    retrieval_index_version: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hex) over the canonical JSON of all fields."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Describe a running endpoint of a release.

    url: the OpenAI-compatible server's root, without `/v1`. model: the name that server knows the model by.
    prompt_usd and completion_usd: price of one million tokens; 0 where cost is not told. replicas: engines that answer
    behind the URL; None where it is not told.
    """

    id: str
    service: str
    release_digest: str
    url: str
    model: str
    engine: str = "vllm"
    prompt_usd: float = 0.0
    completion_usd: float = 0.0
    replicas: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Name a product surface (the `model` clients ask for) and the deployment that serves it now."""

    name: str
    deployment_id: str
