"""How much work a JSON Schema can make of one value: counted before it runs, for a schema comes from a stranger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from referencing.jsonschema import specification_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from referencing.jsonschema import SchemaRegistry

    SchemaResolver = Any  # referencing keeps its resolver's class to itself

MAX_DEPTH = 120
CEILING = 10**9
_REFS = ("$ref", "$dynamicRef", "$recursiveRef")
_SAME_ONE = ("not", "if", "then", "else")
_SAME_ALL = ("allOf", "anyOf", "oneOf", "dependentSchemas", "dependencies")
_INNER_ONE = (
    *("propertyNames", "additionalProperties", "unevaluatedProperties"),
    *("additionalItems", "unevaluatedItems", "contains"),
)
_ONE_OF_THEM = ("properties", "prefixItems")
_LISTS = ("enum", "required", "properties", "dependencies", "dependentRequired", "dependentSchemas")
_PER_ENTRY = 8
_UNEVALUATED = 3


class EndlessError(Exception):
    """Say that a schema nests, or refers on, deeper than it may, or refers to itself for one and the same value."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold what a schema can cost, at worst, for each value inside the one that is judged.

    visits: how often a value is looked at by some part of the schema. searches: how many of these run a pattern. Both
    stop at CEILING. recursive: whether the schema comes back to itself; what lies below is then counted once.
    """

    visits: int
    searches: int
    recursive: bool


def cost_of(schema: Any, dialect: str, registry: SchemaRegistry) -> Cost:  # noqa: ANN401  # any JSON
    """Count the worst case of a schema written in a dialect, whose references the registry can resolve.

    A value meets one entry of `properties`, `items` and `prefixItems`, and every entry of all other applicators.
    `unevaluated*` walks what it stands beside again, measured at 2.6 times the work for each level.

    Raises:
        EndlessError: over 120 levels of nesting and references, or a circle that never reaches an inner value.
        referencing.exceptions.Unresolvable: a reference leads nowhere.
    """
    root = specification_with(dialect).create_resource(schema)
    counter = _Counter(dialect, _dynamic(schema))
    resolver = registry.with_resource(root.id() or "", root).crawl().resolver(root.id() or "")
    visits, searches = counter.count(schema, resolver, 0, frozenset())
    return Cost(visits, searches, counter.recursive)


@dataclass(slots=True)
class _Counter:
    """Count each subschema once, however many ways lead to it."""

    dialect: str
    dynamic: list[dict[str, Any]]
    recursive: bool = False
    known: dict[int, tuple[int, int] | None] = field(default_factory=dict)

    def count(self, schema: object, resolver: SchemaResolver, depth: int, circle: frozenset[int]) -> tuple[int, int]:
        """Return visits and searches of a subschema; 1 and 0 for one whose count is under way.

        circle: the subschemas that the same value meets on the way here.
        """
        if not isinstance(schema, dict):
            return 1, 0
        if depth > MAX_DEPTH or id(schema) in circle:
            raise EndlessError
        if id(schema) in self.known:
            found = self.known[id(schema)]
            self.recursive = self.recursive or found is None
            return found or (1, 0)
        self.known[id(schema)] = None
        visits = 1 + sum(len(schema[key]) for key in _LISTS if isinstance(schema.get(key), (list, dict))) // _PER_ENTRY
        searches = int("pattern" in schema) + len(_values(schema.get("patternProperties")))
        here = circle | {id(schema)}
        for same, group in self._groups(schema, resolver):
            counts = [self.count(each, where, depth + 1, here if same else frozenset()) for each, where in group]
            visits += max((count[0] for count in counts), default=0)
            searches += max((count[1] for count in counts), default=0)
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            visits, searches = _UNEVALUATED * visits, _UNEVALUATED * searches
        self.known[id(schema)] = found = min(visits, CEILING), min(searches, CEILING)
        return found

    def _groups(
        self, schema: dict[str, Any], resolver: SchemaResolver
    ) -> Iterator[tuple[bool, list[tuple[object, SchemaResolver]]]]:
        """Yield groups of subschemas, each with its resolver; a value, the same or an inner one, meets the worst."""
        for key in _REFS:
            if isinstance(schema.get(key), str):
                found = resolver.lookup(schema[key])
                yield True, [(found.contents, found.resolver)]
                yield False, [] if key == "$ref" else self._at(self.dynamic, resolver)
        yield from ((True, self._at([schema[key]], resolver)) for key in _SAME_ONE if key in schema)
        yield from ((True, self._at([each], resolver)) for key in _SAME_ALL for each in _values(schema.get(key)))
        yield from ((False, self._at([schema[key]], resolver)) for key in _INNER_ONE if key in schema)
        yield from ((False, self._at([each], resolver)) for each in _values(schema.get("patternProperties")))
        yield from ((False, self._at(_values(schema.get(key)), resolver)) for key in _ONE_OF_THEM)
        items = schema.get("items")
        yield False, self._at(items if isinstance(items, list) else [items], resolver)

    def _at(self, schemas: list[Any], resolver: SchemaResolver) -> list[tuple[Any, SchemaResolver]]:
        """Pair subschemas with resolvers that know their own addresses."""
        kind = specification_with(self.dialect)
        return [
            (each, resolver.in_subresource(kind.create_resource(each))) for each in schemas if isinstance(each, dict)
        ]


def readable(schema: Any) -> Any:  # noqa: ANN401  # any JSON
    """Return a copy where a list of names under `dependencies` (up to draft 7) is true: referencing stumbles on it."""
    if isinstance(schema, list):
        return [readable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: readable(value) for key, value in schema.items()}
    names = copy.get("dependencies")
    if isinstance(names, dict):
        copy["dependencies"] = {key: isinstance(value, list) or value for key, value in names.items()}
    return copy


def patterns_of(schema: object) -> int:
    """Return how many patterns a schema holds."""
    if isinstance(schema, list):
        return sum(map(patterns_of, schema))
    if not isinstance(schema, dict):
        return 0
    own = int(isinstance(schema.get("pattern"), str)) + len(_values(schema.get("patternProperties")))
    return own + sum(map(patterns_of, schema.values()))


def _dynamic(schema: object) -> list[dict[str, Any]]:
    """Return every subschema that a dynamic reference may lead to."""
    if isinstance(schema, list):
        return [found for each in schema for found in _dynamic(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if "$dynamicAnchor" in schema or "$recursiveAnchor" in schema else []
    return own + [found for each in schema.values() for found in _dynamic(each)]


def _values(value: object) -> list[Any]:
    return value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
