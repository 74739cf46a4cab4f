"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from tools import PEERS, Missing, nginx


def describe() -> dict[str, str]:
    """Return the machine and the versions, by name."""
    pinned = dict(line.split("==") for line in PEERS.read_text().splitlines() if "==" in line)
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "gatekeeper": version("llm-gatekeeper"),
        "nginx": _nginx(),
        "vllm-router": pinned["vllm-router"],
        "LiteLLM": pinned["litellm"],
        "FastAPI": version("fastapi"),
        "httpx": version("httpx"),
        "uvicorn": version("uvicorn"),
        "uvloop": version("uvloop"),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _nginx() -> str:
    try:
        said = subprocess.run([nginx(), "-v"], capture_output=True, text=True, check=True)  # noqa: S603 - found above
    except Missing as exc:
        return str(exc)
    return said.stderr.rpartition("/")[2].strip()
