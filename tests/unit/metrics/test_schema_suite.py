"""The official JSON Schema suite, on the path that answers take; and the same against the reference in Python."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema
import pytest
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from gatekeeper.metrics._json import parse
from gatekeeper.metrics._schema import UnsupportedSchemaError, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = Path(__file__).resolve().parents[4] / "shared" / "data" / "jsonschema" / "JSON-Schema-Test-Suite"
pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason=f"the official suite is not at {SUITE}")


class Draft(NamedTuple):
    """A draft: its folder in the suite, its address, and how many of its required tests the suite has."""

    folder: str
    dialect: str
    required: int


DRAFTS = (
    Draft("draft7", "http://json-schema.org/draft-07/schema#", 927),
    Draft("draft2019-09", "https://json-schema.org/draft/2019-09/schema", 1259),
    Draft("draft2020-12", "https://json-schema.org/draft/2020-12/schema", 1299),
)


@pytest.fixture(params=DRAFTS, ids=[each.folder for each in DRAFTS])
def draft(request: pytest.FixtureRequest) -> Draft:
    """Give each draft in turn."""
    return request.param


def test_every_required_test_passes(draft: Draft):
    documents = _documents(draft)
    wrong = []
    total = 0
    for name, schema, text, valid in _tests(draft):
        total += 1
        try:
            error = compiled(schema, documents).violation(parse(text).value, text)
        except UnsupportedSchemaError as exc:
            wrong.append((name, str(exc)))
            continue
        if (error is None) is not valid:
            wrong.append((name, error))
    assert not wrong
    assert total >= draft.required


def test_the_reference_agrees(draft: Draft):
    """The reference fails a few of the suite; where it is right, we say the same."""
    documents = _documents(draft)
    registry = REGISTRY.with_contents(documents.items(), default_specification=specification_with(draft.dialect))
    reference = jsonschema.validators.validator_for({"$schema": draft.dialect})
    compared = 0
    for name, schema, text, valid in _tests(draft):
        value = json.loads(text)
        try:
            right = reference(schema, registry=registry).is_valid(value) is valid
        except (re.error, Unresolvable):
            right = False
        if right:
            compared += 1
            assert (compiled(schema, documents).violation(value, text) is None) is valid, name
    assert compared >= 0.99 * draft.required


def _tests(draft: Draft) -> Iterator[tuple[str, Any, str, bool]]:
    """Yield each required test: its name, the schema, the text to judge, whether that is valid."""
    for file in sorted((SUITE / "tests" / draft.folder).glob("*.json")):
        for case in json.loads(file.read_text()):
            schema = case["schema"]
            if isinstance(schema, dict):
                schema = {"$schema": draft.dialect} | schema
            for test in case["tests"]:
                name = f"{file.stem}: {case['description']}: {test['description']}"
                yield name, schema, json.dumps(test["data"]), test["valid"]


def _documents(draft: Draft) -> dict[str, Any]:
    """Return the schemas that the suite's own may refer to, each in a dialect that it names."""
    root = SUITE / "remotes"
    found = {}
    for file in sorted(root.rglob("*.json")):
        place = file.relative_to(root)
        if place.parts[0] == draft.folder or not place.parts[0].startswith(("draft", "v1")):
            body = json.loads(file.read_text())
            found[f"http://localhost:1234/{place.as_posix()}"] = {"$schema": draft.dialect} | body
    return found
