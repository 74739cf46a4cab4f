"""What a vLLM server is started with, without starting one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gatekeeper.adapters.engines.vllm import _arguments, _environment, cpu_dtype


def test_flags_become_vllms_words():
    flags = {"enforce-eager": True, "enable-prefix-caching": False, "max-num-seqs": 8, "dtype": "bfloat16"}
    assert _arguments(flags) == [
        "--enforce-eager",
        "--no-enable-prefix-caching",
        "--max-num-seqs",
        "8",
        "--dtype",
        "bfloat16",
    ]


def test_a_cpu_build_is_bound_to_its_cores_and_a_gpu_build_is_left_alone(tmp_path: Path):
    on_cpu = _environment(str(tmp_path), (1,), on_cpu=True)
    on_gpu = _environment(str(tmp_path), (1,), on_cpu=False)
    assert on_cpu["VLLM_CPU_OMP_THREADS_BIND"] == "1"
    assert on_cpu["TORCHDYNAMO_DISABLE"] == "1"
    assert "VLLM_CPU_OMP_THREADS_BIND" not in on_gpu
    assert on_gpu["PATH"].startswith(str(Path(sys.executable).parent))


def test_a_local_model_is_not_looked_for_on_the_net(tmp_path: Path):
    assert _environment(str(tmp_path), None, on_cpu=False)["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in _environment("someone/a-model", None, on_cpu=False)


@pytest.mark.parametrize(
    ("flags", "precision"),
    [("fpu avx2 avx512_bf16", "bfloat16"), ("avx512f amx_bf16 amx_tile", "bfloat16"), ("fpu avx2 avx512f", "float32")],
)
def test_a_cpu_gets_the_precision_it_has_instructions_for(tmp_path: Path, flags: str, precision: str):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n", encoding="utf-8")
    assert cpu_dtype(info) == precision
    assert cpu_dtype(tmp_path / "none") == "float32"
