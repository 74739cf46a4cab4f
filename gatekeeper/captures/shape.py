"""Answers of the other endpoints in the shape of a chat completion, which is what scorers read."""

from __future__ import annotations

from typing import Any

_MESSAGE_CHARACTERS = 500


def as_chat(path: str, response: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the response of the endpoint at `path` as a chat completion; embeddings without their vectors."""
    if response is None:
        return None
    if path.endswith("/embeddings"):
        return {**response, "data": []} if isinstance(response.get("data"), list) else response
    if path.endswith("/responses"):
        return _from_responses(response)
    if path.endswith("/completions") and not path.endswith("/chat/completions"):
        choices = response.get("choices")
        parts = [_with_message(choice) for choice in choices] if isinstance(choices, list) else []
        return {**response, "choices": parts}
    return response


def unanswered(path: str, response: dict[str, Any]) -> str:
    """Say why this body, as the endpoint at `path` sent it, is no answer; "" when it is one."""
    if path.endswith("/embeddings"):
        return "" if isinstance(response.get("data"), list) else "the answer has no list of embeddings"
    if not path.endswith("/responses"):
        return "" if isinstance(response.get("choices"), list) else "the answer has no list of choices"
    status = response.get("status")
    if status in ("failed", "cancelled"):
        return f"the response is {status}: {error_text(response)}"
    return "" if isinstance(response.get("output"), list) else "the answer has no list of output items"


def error_text(body: dict[str, Any]) -> str:
    """Return the message of an OpenAI-style error body, or of FastAPI's; "" without one."""
    error = body.get("error", body)
    message = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(message or "")[:_MESSAGE_CHARACTERS]


def _with_message(choice: object) -> object:
    if not isinstance(choice, dict) or "message" in choice:
        return choice
    return {**choice, "message": {"role": "assistant", "content": choice.get("text")}}


def _from_responses(response: dict[str, Any]) -> dict[str, Any]:
    texts: list[str] = []
    refusals: list[str] = []
    calls: list[dict[str, Any]] = []
    output = response.get("output")
    for item in output if isinstance(output, list) else ():
        if not isinstance(item, dict):
            continue
        if item.get("type") == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            calls.append({"id": item.get("call_id"), "type": "function", "function": function})
        content = item.get("content") if item.get("type") == "message" else None
        parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
        texts += [part["text"] for part in parts if isinstance(part.get("text"), str)]
        refusals += [part["refusal"] for part in parts if isinstance(part.get("refusal"), str)]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if refusals:
        message["refusal"] = "".join(refusals)
    if calls:
        message["tool_calls"] = calls
    return {
        "id": response.get("id"),
        "model": response.get("model"),
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(response, called=bool(calls))}],
        "usage": _usage(response.get("usage")),
    }


def _finish(response: dict[str, Any], *, called: bool) -> str:
    if response.get("status") == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return "content_filter" if reason == "content_filter" else "length"
    return "tool_calls" if called else "stop"


def _usage(usage: object) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    return {**usage, "prompt_tokens": usage.get("input_tokens"), "completion_tokens": usage.get("output_tokens")}
