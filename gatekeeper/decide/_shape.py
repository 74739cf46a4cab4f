"""A policy's shape against the shipped JSON Schema, each violation told in words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from gatekeeper.decide._faults import did_you_mean, found
from gatekeeper.model import schema

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from gatekeeper.decide._faults import Faults
    from gatekeeper.decide._yaml import Path

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def check_shape(value: Any, faults: Faults) -> None:  # noqa: ANN401 - any JSON value
    """Add every violation of the policy schema to `faults`."""
    for error in _validator().iter_errors(value):
        of_key = "propertyNames" in error.absolute_schema_path
        path: Path = (*error.absolute_path, error.instance) if of_key else tuple(error.absolute_path)
        if not faults.usable(path):
            continue
        if of_key:
            faults.add(path, f"found {found(error.instance)}, {_expected(error)}", at_key=True)
        elif error.validator == "additionalProperties":
            _unknown_keys(error, path, faults)
        elif error.validator == "required":
            missing = next(key for key in error.validator_value if key not in error.instance)
            faults.add(path, f"{missing} is missing: {_expected_of(error.schema['properties'][missing])}", block=False)
        elif error.validator == "maxProperties" and error.schema.get("title") == "one stage":
            kinds = ", ".join(error.instance)
            faults.add(path, f"found {len(error.instance)} keys ({kinds}), expected one stage in each list item")
        else:
            faults.add(path, f"found {found(error.instance)}, {_expected(error)}")


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema.load("policy"))


def _unknown_keys(error: ValidationError, path: Path, faults: Faults) -> None:
    known = tuple(error.schema["properties"])
    for key in error.instance:
        if key not in known and faults.usable((*path, key)):
            hint = did_you_mean(key, known) or f"; known: {', '.join(known)}"
            faults.add((*path, key), f"unknown key {found(key)}{hint}", at_key=True)


def _expected(error: ValidationError) -> str:
    if error.validator == "minProperties":
        return (
            f"expected at least one of {', '.join(error.schema['properties'])}"
            if ("properties" in error.schema)
            else "expected at least one"
        )
    if error.validator in ("maxProperties", "maxItems", "maxLength"):
        unit = "characters" if error.validator == "maxLength" else "entries"
        return f"expected at most {error.validator_value} {unit}"
    if error.validator == "uniqueItems":
        return "expected each entry once"
    return _expected_of(error.schema)


def _expected_of(node: dict[str, Any]) -> str:
    """Return what a part of the schema wants, from its title, values and examples."""
    target = node.get("$ref")
    if isinstance(target, str):
        node = {**schema.load("policy")["$defs"][target.rsplit("/", 1)[-1]], **node}
    what = node.get("title") or _TYPES.get(node.get("type", ""), "another value")
    if "enum" in node:
        return f"expected {' or '.join(map(str, node['enum']))}"
    examples = [_example(example) for example in node.get("examples", [])]
    return f"expected {what}" + (f", such as {' or '.join(examples)}" if examples else "")


def _example(value: object) -> str:
    """Return an example as a policy file would have it."""
    if not isinstance(value, dict):
        return str(value)
    return "{" + ", ".join(f"{key}: {_example(item)}" for key, item in value.items()) + "}"
