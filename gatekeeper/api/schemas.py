"""The bodies that routes take; what they answer are the model's nouns."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gatekeeper.model.key import Scope

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$")]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Body(BaseModel):
    """Refuse unknown fields, so that a typo is not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class ReleaseBody(Body):
    """Describe a release; its id is the digest of its content."""

    model: str = Field(min_length=1, max_length=1000)
    revision: str = ""
    engine: str = "vllm"
    engine_flags: dict[str, str] = Field(default_factory=dict)
    prompt_version: str = ""
    safety_policy_version: str = ""
    retrieval_index_version: str = ""


class DeploymentBody(Body):
    """Describe a deployment, with its release's digest, or with the release itself."""

    id: Name | None = None
    service: Name
    url: str = Field(min_length=1, max_length=2000)
    model: str = Field(min_length=1, max_length=1000)
    engine: str = "vllm"
    release_digest: str = ""
    release: ReleaseBody | None = None
    prompt_usd: Price = 0.0
    completion_usd: Price = 0.0
    replicas: int | None = Field(default=None, ge=1)


class ServiceBody(Body):
    """Name the deployment that serves a service."""

    deployment_id: Name


class PolicyBody(Body):
    """Carry a policy: the file's text, or its content as an object; file names it in faults."""

    policy: str | dict[str, Any]
    policy_file: str | None = None


class RolloutBody(PolicyBody):
    """Ask for a rollout; baseline: the deployment that serves now, unless named."""

    service: Name
    candidate: Name
    baseline: Name | None = None
    id: Name | None = None


class GateBody(PolicyBody):
    """Ask for a gate; evalset: that of the policy's gate stage, unless named; patience_s: when it is given up."""

    service: Name
    candidate: Name
    baseline: Name | None = None
    evalset: str | None = Field(default=None, min_length=1, max_length=200)
    patience_s: float = Field(default=3_600.0, ge=1.0, le=86_400.0, allow_inf_nan=False)


class ReasonBody(Body):
    """Say why."""

    reason: str = Field(default="", max_length=2000)


class KeyBody(Body):
    """Ask for an API key."""

    name: str = Field(min_length=1, max_length=100)
    scope: Scope
    env: str = Field(default="live", max_length=20)


class WebhookBody(Body):
    """Ask for an outbound webhook; without a secret one is made."""

    url: str = Field(min_length=1, max_length=2000)
    secret: str | None = Field(default=None, max_length=500)
    events: list[str] | None = None
