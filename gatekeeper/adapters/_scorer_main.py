"""The process in which users' own scorers run, so that one that hangs or crashes costs its own value and nothing else.

It reads a request a line, {"exchange", "scorers"}, and answers a line for each scorer asked: {"value", "reason"}.
What a scorer prints goes to stderr. It never tells what an answer said: of an error, its kind and place alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.engines._watch import die_with

if TYPE_CHECKING:
    from collections.abc import Callable

    Scorer = Callable[[dict[str, Any]], Any]

GROUP = "gatekeeper.scorers"
REASON_CHARS = 200


def from_file(path: Path) -> Scorer:
    """Import a file and return its `score`."""
    spec = importlib.util.spec_from_file_location(f"scorer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return _callable(module)


def installed(name: str) -> Scorer:
    """Import what an installed package offers under a name: a function, or a module with `score`.

    One that cannot be imported has no value for any exchange, with the reason.
    """
    try:
        (entry,) = entry_points(group=GROUP, name=name)
        return _callable(entry.load())
    except Exception as exc:  # noqa: BLE001 - a package may break in any way, and costs its own value alone
        reason = f"it cannot be imported: {type(exc).__name__}: {exc}"
        return lambda _exchange: (None, reason)


def _callable(found: Any) -> Scorer:  # noqa: ANN401 - whatever a user's module holds
    scorer: Scorer = found if callable(found) else found.score
    return scorer


def answer(scorer: Scorer, exchange: dict[str, Any]) -> dict[str, Any]:
    """Run one scorer; what is no value is None with its reason."""
    try:
        found = scorer(exchange)
    except Exception as exc:  # noqa: BLE001 - a user's code may raise anything, and costs its own value alone
        place = traceback.extract_tb(exc.__traceback__)[-1]
        return {"value": None, "reason": f"{type(exc).__name__} at {Path(place.filename).name}:{place.lineno}"}
    value, reason = found if isinstance(found, tuple) and len(found) == 2 else (found, "")  # noqa: PLR2004 - a pair
    if value is None:
        return {"value": None, "reason": str(reason)[:REASON_CHARS] or "it does not apply"}
    try:
        number = value if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return {"value": None, "reason": f"it returned a {type(value).__name__}; expected a number, a boolean or None"}
    if not math.isfinite(number):
        return {"value": None, "reason": f"it returned {number}; expected a finite number"}
    return {"value": number, "reason": str(reason)[:REASON_CHARS]}


def main() -> None:
    """Import the scorers, say so, and answer requests until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=Path, action="append", default=[])
    parser.add_argument("--installed", action="append", default=[])
    parser.add_argument("--parent", type=int, required=True)
    given = parser.parse_args()
    die_with(given.parent)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(line: dict[str, Any]) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()

    scorers = {name: installed(name) for name in given.installed}
    for path in given.file:
        try:
            scorers[path.stem] = from_file(path)
        except BaseException as exc:  # noqa: BLE001 - a file that exits is no scorer either
            say({"error": f"{path}: {type(exc).__name__}: {exc}; expected a Python file with score(exchange)"})
            return
    say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        for name in request["scorers"]:
            say(answer(scorers[name], request["exchange"]))


if __name__ == "__main__":
    main()
