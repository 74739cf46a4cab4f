"""What a model answered, read out of any OpenAI-shaped response body without trusting its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the first choice of a response.

    text: what the user sees, "" for none. refusal: the API's own refusal text, "" for none. finish_reason: as the
    server told it, "" when it did not. tool_calls: the calls as sent, not yet checked. spoken: False for answers that
    are no language at all (embeddings).
    """

    text: str = ""
    refusal: str = ""
    finish_reason: str = ""
    tool_calls: tuple[Any, ...] = ()
    spoken: bool = True


def read_answer(response: Mapping[str, Any] | None) -> Answer | None:
    """Return the first answer of a chat completion, completion, response or embeddings body; None: it is none."""
    if not isinstance(response, dict):
        return None
    choices = response.get("choices")
    if isinstance(choices, list):
        return _choice(choices[0]) if choices and isinstance(choices[0], dict) else None
    if isinstance(response.get("output"), list):
        return _output(response)
    if isinstance(response.get("data"), list) and response.get("object") == "list":
        return Answer(spoken=False)
    return None


def prompt_text(request: Mapping[str, Any]) -> str:
    """Return all text of a request that the model was shown, a message a line."""
    parts = [_text(message.get("content")) for message in _dicts(request.get("messages"))]
    parts += [_text(request.get(key)) for key in ("prompt", "input", "instructions")]
    return "\n".join(part for part in parts if part)


def count(usage: Mapping[str, Any], *names: str) -> float | None:
    """Return the first of these token counts that is a sane number, or None."""
    for name in names:
        value = usage.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
            return float(value)
    return None


def _choice(choice: Mapping[str, Any]) -> Answer | None:
    finish = _string(choice.get("finish_reason"))
    message = choice.get("message")
    if isinstance(message, dict):
        calls = message.get("tool_calls")
        return Answer(
            text=_text(message.get("content")),
            refusal=_string(message.get("refusal")),
            finish_reason=finish,
            tool_calls=tuple(calls) if isinstance(calls, list) else (),
        )
    if isinstance(choice.get("text"), str):
        return Answer(text=choice["text"], finish_reason=finish)
    return None


def _output(response: Mapping[str, Any]) -> Answer:
    """Read a body of the Responses API."""
    items = _dicts(response["output"])
    parts = [part for item in items if item.get("type") == "message" for part in _dicts(item.get("content"))]
    calls = [{"function": item} for item in items if item.get("type") == "function_call"]
    cut = response.get("status") == "incomplete"
    return Answer(
        text="".join(_string(part.get("text")) for part in parts if part.get("type") == "output_text"),
        refusal="".join(_string(part.get("refusal")) for part in parts),
        finish_reason="length" if cut else "stop",
        tool_calls=tuple(calls),
    )


def _text(content: object) -> str:
    """Return a message's content, whether a string or a list of parts."""
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else _string(part.get("text")) for part in _parts(content))
    return _string(content)


def _parts(content: list[Any]) -> list[Any]:
    return [part for part in content if isinstance(part, (str, dict))]


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
