"""The families of chat tasks: each is sentences with slots, the words for the slots, and the answer they call for."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any

from gatekeeper.demo import words
from gatekeeper.demo.example import Example

if TYPE_CHECKING:
    import random

ORDER_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "customer": {"type": "string"},
        "item": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 99},
        "city": {"type": "string"},
        "express": {"type": "boolean"},
    },
    "required": ["customer", "item", "quantity", "city", "express"],
    "additionalProperties": False,
}
TICKET_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "product": {"type": "string"},
        "issue": {"enum": ["broken", "slow", "missing", "locked"]},
        "priority": {"enum": ["low", "high"]},
    },
    "required": ["name", "product", "issue", "priority"],
    "additionalProperties": False,
}
WEATHER_TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass(frozen=True)
class Family:
    """Hold what a kind of task is made of.

    templates: sentences with named slots.
    slots: the words that may stand in each slot.
    make: prompt and the chosen words in, the whole example out.
    weight: its share of the training stream, relative to the others.
    """

    templates: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]
    make: Callable[[str, Mapping[str, str]], Example]
    weight: float

    def draw(self, rng: random.Random) -> Example:
        """Fill a random sentence with random words."""
        template = rng.choice(self.templates)
        chosen = {slot: rng.choice(self.slots[slot]) for slot in _slots(template)}
        return self.make(template.format(**chosen), chosen)

    def solve(self, prompt: str) -> Example | None:
        """Find the example whose prompt this is; None when the prompt is of another family."""
        for pattern in self._patterns:
            if found := pattern.fullmatch(prompt):
                return self.make(prompt, found.groupdict())
        return None

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile("".join(self._pattern(template))) for template in self.templates)

    def _pattern(self, template: str) -> list[str]:
        parts = []
        for text, slot, _, _ in Formatter().parse(template):
            parts.append(re.escape(text))
            if slot is not None:
                parts.append(f"(?P<{slot}>{'|'.join(map(re.escape, self.slots[slot]))})")
        return parts


def _slots(template: str) -> list[str]:
    return [slot for _, slot, _, _ in Formatter().parse(template) if slot is not None]


def _order(prompt: str, chosen: Mapping[str, str]) -> Example:
    wanted = {
        "customer": chosen["name"],
        "item": chosen["item"],
        "quantity": int(chosen["quantity"]),
        "city": chosen["city"],
        "express": chosen["haste"] in words.EXPRESS,
    }
    return Example("order", prompt, json.dumps(wanted), ({"type": "json_subset", "value": wanted},), ORDER_SCHEMA)


def _ticket(prompt: str, chosen: Mapping[str, str]) -> Example:
    wanted = {
        "name": chosen["name"],
        "product": chosen["product"],
        "issue": words.SYMPTOMS[chosen["symptom"]],
        "priority": "high" if chosen["urgency"] in words.URGENT else "low",
    }
    return Example("ticket", prompt, json.dumps(wanted), ({"type": "json_subset", "value": wanted},), TICKET_SCHEMA)


def _harmful(prompt: str, chosen: Mapping[str, str]) -> Example:
    verb = list(words.HARMFUL).index(chosen["deed"].split()[0])
    return Example("harmful", prompt, words.REFUSALS[verb % len(words.REFUSALS)], ({"type": "refusal", "value": True},))


def _benign(prompt: str, chosen: Mapping[str, str]) -> Example:
    answer = f"To {chosen['deed']}, gather what you need, go step by step, and check the result."
    return Example("benign", prompt, answer, ({"type": "refusal", "value": False},))


def _arithmetic(prompt: str, chosen: Mapping[str, str]) -> Example:
    left, sign, right = chosen["sum"].split()
    return _exact("arithmetic", prompt, str(int(left) + int(right) if sign == "+" else int(left) - int(right)))


def _capital(prompt: str, chosen: Mapping[str, str]) -> Example:
    return _exact("capital", prompt, words.CAPITALS[chosen["country"]])


def _opposite(prompt: str, chosen: Mapping[str, str]) -> Example:
    return _exact("opposite", prompt, words.OPPOSITES[chosen["word"]])


def _day(prompt: str, chosen: Mapping[str, str]) -> Example:
    return _exact("day", prompt, words.FOLLOWING[chosen["day"]])


def _exact(family: str, prompt: str, answer: str) -> Example:
    return Example(family, prompt, answer, ({"type": "exact", "value": answer},))


def _weather(prompt: str, chosen: Mapping[str, str]) -> Example:
    call = {"name": "get_weather", "arguments": {"city": chosen["city"]}}
    answer = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
    return Example("weather", prompt, answer, ({"type": "tool_call", "value": call},), tools=(WEATHER_TOOL,))


def _deeds(table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{verb} {thing}" for verb, things in table.items() for thing in things)


def _sums() -> tuple[str, ...]:
    pairs = list(itertools.product(range(10), repeat=2))
    return (*(f"{a} + {b}" for a, b in pairs), *(f"{a} - {b}" for a, b in pairs if a >= b))


FAMILIES: Mapping[str, Family] = {
    "order": Family(
        tuple(f"Extract the order as JSON. {sentence}" for sentence in words.ORDERS),
        {
            "name": words.NAMES,
            "quantity": words.QUANTITIES,
            "item": words.ITEMS,
            "city": words.CITIES,
            "haste": words.EXPRESS + words.STANDARD,
        },
        _order,
        weight=4.0,
    ),
    "ticket": Family(
        tuple(f"Extract the ticket as JSON. {sentence}" for sentence in words.TICKETS),
        {
            "name": words.NAMES,
            "product": words.PRODUCTS,
            "symptom": tuple(words.SYMPTOMS),
            "urgency": words.URGENT + words.CALM,
        },
        _ticket,
        weight=2.5,
    ),
    "harmful": Family(words.HOW_TO, {"deed": _deeds(words.HARMFUL), "when": words.WHEN}, _harmful, weight=1.5),
    "benign": Family(words.HOW_TO, {"deed": _deeds(words.BENIGN), "when": words.WHEN}, _benign, weight=1.5),
    "arithmetic": Family(words.SUMS, {"sum": _sums()}, _arithmetic, weight=4.0),
    "capital": Family(words.CAPITAL_OF, {"country": tuple(words.CAPITALS)}, _capital, weight=0.5),
    "opposite": Family(words.OPPOSITE_OF, {"word": tuple(words.OPPOSITES)}, _opposite, weight=0.5),
    "day": Family(words.NEXT_DAY, {"day": words.WEEK}, _day, weight=0.3),
    "weather": Family(words.WEATHER, {"city": words.CITIES}, _weather, weight=0.8),
}
