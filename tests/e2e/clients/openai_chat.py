"""Chat by the openai SDK, and print what came: `python openai_chat.py BASE_URL MODEL ASKED_JSON`."""

from __future__ import annotations

import json
import sys
from typing import Any

import openai

BASE_URL, MODEL, ASKED = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])


def messages(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def tool(call: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's own type
    return {"name": call.function.name, "arguments": json.loads(call.function.arguments)}


with openai.OpenAI(base_url=BASE_URL, api_key="sk-test", max_retries=0) as client:
    create = client.chat.completions.create
    common = {"model": MODEL, "temperature": 0, "user": "u-1"}
    order_format = {"type": "json_schema", "json_schema": {"name": "order", "strict": True, "schema": ASKED["schema"]}}
    plain = create(messages=messages(ASKED["plain"]), **common)
    chunks = list(
        create(messages=messages(ASKED["plain"]), stream=True, stream_options={"include_usage": True}, **common)
    )
    called = create(messages=messages(ASKED["tool"]), tools=ASKED["tools"], **common)
    with client.chat.completions.stream(messages=messages(ASKED["tool"]), tools=ASKED["tools"], **common) as stream:
        called_stream = stream.get_final_completion()
    order = create(messages=messages(ASKED["order"]), response_format=order_format, **common)
    found = {
        "models": [model.id for model in client.models.list()],
        "plain": plain.choices[0].message.content,
        "finish": plain.choices[0].finish_reason,
        "usage": plain.usage.total_tokens,
        "stream": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
        "stream_usage": chunks[-1].usage.total_tokens,
        "tool": tool(called.choices[0].message.tool_calls[0]),
        "tool_stream": tool(called_stream.choices[0].message.tool_calls[0]),
        "order": json.loads(order.choices[0].message.content),
    }
print(json.dumps(found))
