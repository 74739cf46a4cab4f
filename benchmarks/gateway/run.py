"""Hold the gateway beside other proxies, on the same upstream under the same load: `run.py`, or `run.py --quick`.

Writes results.json, the table and the plots of docs/gateway-performance.md. It takes about 25 minutes, wants two cores
that do little else, and installs the other proxies into `.cache/bench-gateway`.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import sys
from typing import Any

import machine
import memory
import plots
import scenarios
import show
from scenarios import SCENARIOS

ROUNDS = 5
QUICK = 0.4
_MEMORY_S = 12.0


def main() -> None:
    """Run every scenario and write everything down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of short slices; nothing is written")
    parser.add_argument("--only", choices=[*SCENARIOS, "memory"], nargs="+", help="these; the others stay as they are")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that what was started is ended
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found: dict[str, Any] = {}
    for name in asked.only or [*SCENARIOS, "memory"]:
        if name == "memory":
            found[name] = memory.run(_MEMORY_S * (QUICK if asked.quick else 1.0))
        else:
            rounds, scale = (1, QUICK) if asked.quick else (ROUNDS, 1.0)
            found[name] = scenarios.run(SCENARIOS[name], rounds, scale)
        print(f"{name}: done{''.join(f'; {who}: {why}' for who, why in found[name]['missing'].items())}", flush=True)
    earlier = json.loads(show.RESULTS.read_text(encoding="utf-8")) if show.RESULTS.exists() and not asked.quick else {}
    results = {**earlier, **found, "machine": machine.describe()}
    tables = show.tables(results)
    print("\n\n".join(tables.values()))
    if asked.quick:
        return
    show.RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, text in tables.items():
        show.put(name, text)
    plots.draw(results)
    show.put("plots", plots.SHOWN)


if __name__ == "__main__":
    main()
