"""Chat by the LiteLLM SDK, and print what came: `python litellm_chat.py BASE_URL MODEL ASKED_JSON`."""

from __future__ import annotations

import json
import sys
from typing import Any

import litellm

BASE_URL, MODEL, ASKED = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])


def ask(prompt: str, **options: Any) -> Any:  # noqa: ANN401 - the SDK's own types
    return litellm.completion(
        model=f"openai/{MODEL}",
        api_base=BASE_URL,
        api_key="sk-test",
        messages=[{"role": "user", "content": prompt}],
        temperature=0,
        user="u-1",
        num_retries=0,
        **options,
    )


def tool(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    function = answer.choices[0].message.tool_calls[0].function
    return {"name": function.name, "arguments": json.loads(function.arguments)}


order_format = {"type": "json_schema", "json_schema": {"name": "order", "strict": True, "schema": ASKED["schema"]}}
plain = ask(ASKED["plain"])
whole = litellm.stream_chunk_builder(list(ask(ASKED["plain"], stream=True, stream_options={"include_usage": True})))
called_stream = litellm.stream_chunk_builder(list(ask(ASKED["tool"], stream=True, tools=ASKED["tools"])))
found = {
    "plain": plain.choices[0].message.content,
    "finish": plain.choices[0].finish_reason,
    "usage": plain.usage.total_tokens,
    "stream": whole.choices[0].message.content,
    "stream_usage": whole.usage.total_tokens,
    "tool": tool(ask(ASKED["tool"], tools=ASKED["tools"])),
    "tool_stream": tool(called_stream),
    "order": json.loads(ask(ASKED["order"], response_format=order_format).choices[0].message.content),
}
print(json.dumps(found))
