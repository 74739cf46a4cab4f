"""An OpenAI-compatible endpoint, asked one chat completion at a time, streamed, timed, and never raising."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from gatekeeper.adapters._stream import Fold
from gatekeeper.errors import EngineError, InputError
from gatekeeper.model.exchange import Failure, Timing
from gatekeeper.model.reply import Reply

if TYPE_CHECKING:
    from typing import Self

CONNECT_S = 5.0
MESSAGE_CHARS = 300
DONE = "[DONE]"
TOO_MANY, SERVER = 429, 500


class HttpEngine:
    """Ask one endpoint; use as `async with`. model: put into every request; `pick_model` settles it."""

    def __init__(self, url: str, *, name: str, model: str = "", api_key: str = "", timeout_s: float = 60.0) -> None:
        """Keep the address; nothing is sent yet.

        url: the server's root, with or without `/v1`. name: what messages call it. timeout_s: longest silence.
        """
        self.url = url.rstrip("/").removesuffix("/v1")
        self.model = model
        self._name = f"{name} at {self.url}"
        self._client = httpx.AsyncClient(
            base_url=self.url,
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Open connections when they are needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def pick_model(self) -> str:
        """Make sure that the endpoint answers, and settle on the model given, or on the first that it serves.

        Raises:
            EngineError: it does not answer, or not as an OpenAI-compatible endpoint does.
            InputError: it does not serve the model given.
        """
        try:
            answer = await self._client.get("/v1/models")
            if self.model and answer.status_code == httpx.codes.NOT_FOUND:
                return self.model  # an endpoint that lists nothing may still serve it
            known = [str(each["id"]) for each in answer.raise_for_status().json()["data"]]
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise EngineError(f"{self._name} does not answer: {_words(exc)}; is it up, and the address right?") from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise EngineError(f"{self._name} has no list of models at /v1/models: {_words(exc)}") from exc
        if not known:
            raise EngineError(f"{self._name} serves no model")
        if self.model and self.model not in known:
            raise InputError(f"{self._name} does not serve {self.model!r}; it serves: {', '.join(known)}")
        self.model = self.model or known[0]
        return self.model

    async def ask(self, body: dict[str, Any]) -> Reply:
        """Ask for a chat completion as a stream and wait for its end; what goes wrong is in the reply."""
        asked = {**body, "model": self.model, "stream": True, "stream_options": {"include_usage": True}}
        reading = _Reading()
        try:
            async with self._client.stream("POST", "/v1/chat/completions", json=asked) as response:
                if response.status_code != httpx.codes.OK:
                    return _refused(response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    reading.take(line)
        except httpx.HTTPError as exc:
            return Reply(error=Failure(kind=reading.kind_of(exc), message=_words(exc)))
        except (ValueError, TypeError, AttributeError, KeyError) as exc:
            return Reply(error=Failure(kind="bad_response", message=f"a chunk of the stream is none: {_words(exc)}"))
        return reading.reply()


class _Reading:
    """Read one stream, noting when it spoke."""

    def __init__(self) -> None:
        self._fold = Fold()
        self._sent_s = time.perf_counter()
        self._first_s: float | None = None
        self._last_s = self._sent_s
        self._error = ""
        self._done = False

    def take(self, line: str) -> None:
        """Read one line of server-sent events."""
        if not line.startswith("data:"):
            return
        data = line[5:].strip()
        if data == DONE:
            self._done = True
            return
        chunk = orjson.loads(data)
        if chunk.get("error"):
            self._error = str(chunk["error"])[:MESSAGE_CHARS]
        elif self._fold.add(chunk):
            self._last_s = time.perf_counter()
            self._first_s = self._first_s or self._last_s

    def kind_of(self, exc: httpx.HTTPError) -> str:
        """Name the failure: never reached, too slow, or broken on the way."""
        if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout):
            return "connect"
        return "timeout" if isinstance(exc, httpx.TimeoutException) else "stream_broken"

    def reply(self) -> Reply:
        """Return what the whole stream amounts to; one that ends without saying so was broken."""
        if self._error:
            return Reply(error=Failure(kind="bad_response", message=self._error))
        if not (self._done and self._fold.finished):
            return Reply(error=Failure(kind="stream_broken", message="the stream ended before its last chunk"))
        body = self._fold.body()
        return Reply(response=body, timing=self._timing(body))

    def _timing(self, body: dict[str, Any]) -> Timing:
        tokens = (body.get("usage") or {}).get("completion_tokens") or 0
        first_s = self._first_s
        spoken_s = self._last_s - first_s if first_s is not None else 0.0
        return Timing(
            ttft_ms=None if first_s is None else 1000 * (first_s - self._sent_s),
            e2e_ms=1000 * (time.perf_counter() - self._sent_s),
            tpot_ms=1000 * spoken_s / (tokens - 1) if tokens > 1 and spoken_s > 0 else None,
        )


def _refused(status: int, body: bytes) -> Reply:
    kind = "rate_limited" if status == TOO_MANY else "http_5xx" if status >= SERVER else "http_4xx"
    return Reply(error=Failure(kind=kind, message=f"HTTP {status}: {body[:MESSAGE_CHARS].decode(errors='replace')}"))


def _words(exc: Exception) -> str:
    return str(exc)[:MESSAGE_CHARS] or type(exc).__name__
