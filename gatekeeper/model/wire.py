"""Nouns to and from plain JSON values, in the shapes of the published schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from gatekeeper.errors import InputError
from gatekeeper.model.exchange import Exchange
from gatekeeper.model.finding import Report

if TYPE_CHECKING:
    from gatekeeper.model.sample import Sample

T = TypeVar("T")


def to_dict(noun: object) -> dict[str, Any]:
    """Return a noun as JSON-ready values, as the schemas have them.

    An exchange's failure is `{class, message}`; a report has `corrections` where labels made some.
    """
    plain = cast("dict[str, Any]", msgspec.to_builtins(noun))
    if isinstance(noun, Exchange) and noun.error is not None:
        plain["error"] = {"class": noun.error.kind, "message": noun.error.message}
    if isinstance(noun, Report) and not noun.corrections:
        del plain["corrections"]
    return plain


def from_dict(kind: type[T], plain: dict[str, Any]) -> T:
    """Build a noun from JSON values; unknown keys are ignored, so that newer writers can be read.

    Raises:
        InputError: a value is missing or of the wrong type; the message names the field and what was expected.
    """
    if kind is Exchange and isinstance(plain.get("error"), dict) and "class" in plain["error"]:
        failure = plain["error"]
        plain = {**plain, "error": {"kind": failure["class"], "message": failure.get("message", "")}}
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as exc:
        raise InputError(f"{kind.__name__.lower()}: {exc}") from exc


def sample_to_dict(sample: Sample) -> dict[str, Any]:
    """Return a sample as a JSON object without its null keys (a missing key is null)."""
    return {key: value for key, value in to_dict(sample).items() if value is not None and value != {}}
