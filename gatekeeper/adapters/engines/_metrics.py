"""Reading an engine's Prometheus page into the few signals that explain a rollout: load, queue, cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VLLM_SIGNALS: Mapping[str, tuple[str, ...]] = {  # signal to the names it has had, newest first
    "queue_depth": ("vllm:num_requests_waiting",),
    "running": ("vllm:num_requests_running",),
    "kv_usage": ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    "preemptions": ("vllm:num_preemptions_total", "vllm:num_preemptions"),
    "prefix_queries": (
        "vllm:prefix_cache_queries_total",
        "vllm:prefix_cache_queries",
        "vllm:gpu_prefix_cache_queries_total",
        "vllm:gpu_prefix_cache_queries",
    ),
    "prefix_hits": (
        "vllm:prefix_cache_hits_total",
        "vllm:prefix_cache_hits",
        "vllm:gpu_prefix_cache_hits_total",
        "vllm:gpu_prefix_cache_hits",
    ),
    "prompt_tokens": ("vllm:prompt_tokens_total", "vllm:prompt_tokens"),
    "generation_tokens": ("vllm:generation_tokens_total", "vllm:generation_tokens"),
    "requests_finished": ("vllm:request_success_total", "vllm:request_success"),
}
FULLEST = frozenset({"kv_usage"})  # a share: of several replicas the fullest counts; everything else adds up


def signals(page: str, wanted: Mapping[str, tuple[str, ...]] = VLLM_SIGNALS) -> dict[str, float]:
    """Read the wanted signals from a page of Prometheus text; one that the page does not hold is left out."""
    samples = _samples(page.splitlines())
    found = {}
    for signal, names in wanted.items():
        values = next((samples[name] for name in names if name in samples), None)
        if values is not None:
            found[signal] = max(values) if signal in FULLEST else sum(values)
    return found


def _samples(lines: Iterable[str]) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        samples.setdefault(series.partition("{")[0], []).append(float(value))
    return samples
