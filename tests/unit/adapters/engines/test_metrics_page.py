"""Reading an engine's metrics: old names and new, replicas added up, and nothing made of what is missing."""

from __future__ import annotations

from gatekeeper.adapters.engines._metrics import signals

NEW = """\
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="demo"} 17.0
vllm:num_requests_waiting{engine="1",model_name="demo"} 3.0
vllm:kv_cache_usage_perc{engine="0",model_name="demo"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="demo"} 0.75
vllm:num_preemptions_total{engine="0",model_name="demo"} 194.0
vllm:num_preemptions_created{engine="0",model_name="demo"} 1.79e+09
vllm:request_success_total{engine="0",finished_reason="stop",model_name="demo"} 9.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="demo"} 1046.0
"""
OLD = 'vllm:gpu_cache_usage_perc{model_name="demo"} 0.5\nvllm:gpu_prefix_cache_hits{model_name="demo"} 7\n'


def test_replicas_add_up_and_the_fullest_cache_counts():
    assert signals(NEW) == {"queue_depth": 20, "kv_usage": 0.75, "preemptions": 194, "requests_finished": 1055}


def test_old_names_are_read_too():
    assert signals(OLD) == {"kv_usage": 0.5, "prefix_hits": 7}


def test_what_the_page_lacks_is_left_out():
    assert signals("") == {}
