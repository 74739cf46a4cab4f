"""Regular expressions from strangers over text from strangers: in linear time, or not at all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonschema_rs

MAX_PATTERN_BYTES = 64_000
MAX_TEXT_CHARS = 8_000


def search(pattern: str, text: str) -> bool | None:
    """Tell whether a pattern occurs in the first 8,000 characters of a text.

    None for a pattern that cannot run in linear time: look-around, back-references, more than 64 kB once compiled. The
    engine is Rust's regex crate, which never backtracks; it is reached through the JSON Schema validator, so that a
    pattern means in a check what it means in a schema.
    """
    validator = _compiled(pattern)
    if validator is None:
        return None
    plain = text[:MAX_TEXT_CHARS].encode("utf-8", "replace").decode()
    return bool(validator.is_valid(plain))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:  # noqa: ANN401  # one of the validator's classes, a draft each
    """Return the compiled pattern, None for one that is broken or not linear."""
    options = jsonschema_rs.RegexOptions(size_limit=MAX_PATTERN_BYTES)
    try:
        return jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options, offline=True)
    except ValueError:
        return None
