"""The process that is a simulated engine: an OpenAI-compatible server that misbehaves when told to."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gatekeeper.adapters.engines._sim_http import Reply, Request, read_request
from gatekeeper.adapters.engines._sim_model import Completion, Pace, SimModel
from gatekeeper.adapters.engines._watch import die_with

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from gatekeeper.adapters.engines._sim_model import Answers

MODES = ("normal", "hang", "error_500", "reset", "cut", "trickle", "garbage_sse")
"""hang: never answers. error_500: an error as vLLM words it. reset: closes before the first byte. cut: closes in the
middle of a stream. trickle: a few bytes at a time. garbage_sse: events that are no JSON, and no [DONE]."""


class Sim:
    """Serve one simulated model; `mode` is how it behaves now."""

    def __init__(self, model: SimModel, mode: str) -> None:
        """Keep the model and the mode to begin with."""
        self.model = model
        self.mode = mode

    async def connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer the requests of one connection until the client, or a misbehaviour, closes it."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while request := await read_request(reader):
                if not await self._answer(request, Reply(writer, trickle=self.mode == "trickle")):
                    break
        writer.transport.abort() if self.mode == "reset" else writer.close()

    async def _answer(self, request: Request, reply: Reply) -> bool:
        """Answer one request and say whether the connection may go on."""
        match request.method, request.path:
            case "GET", "/health":
                await reply.whole(HTTPStatus.OK, "")
            case "GET", "/metrics":
                await reply.whole(HTTPStatus.OK, self.model.load.page(self.model.served_name, self.model.pace.slots))
            case "GET", "/v1/models":
                card = {"id": self.model.served_name, "object": "model", "owned_by": "gatekeeper-sim"}
                await reply.whole(HTTPStatus.OK, {"object": "list", "data": [card]})
            case "POST", "/sim":
                await self._control(request, reply)
            case "POST", "/v1/chat/completions":
                return await self._chat(request, reply)
            case _:
                await reply.whole(HTTPStatus.NOT_FOUND, {"detail": "Not Found"})
        return True

    async def _control(self, request: Request, reply: Reply) -> None:
        mode = json.loads(request.body).get("mode")
        if mode not in MODES:
            await reply.whole(HTTPStatus.BAD_REQUEST, _error(400, f"unknown mode {mode!r}; known: {', '.join(MODES)}"))
            return
        self.mode = mode
        await reply.whole(HTTPStatus.OK, {"mode": mode})

    async def _chat(self, request: Request, reply: Reply) -> bool:
        if self.mode == "hang":
            await asyncio.Event().wait()
        if self.mode == "reset":
            return False
        if self.mode == "error_500":
            await reply.whole(HTTPStatus.INTERNAL_SERVER_ERROR, _error(500, "EngineCore encountered an issue."))
            return True
        try:
            body = json.loads(request.body)
            completion = self.model.complete(body)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            await reply.whole(HTTPStatus.BAD_REQUEST, _error(400, f"bad chat request: {error!r}"))
            return True
        if body.get("model") != self.model.served_name:
            await reply.whole(HTTPStatus.NOT_FOUND, _error(404, f"The model `{body.get('model')}` does not exist."))
            return True
        async with self.model.slot(completion) as moments:
            if body.get("stream"):
                usage = bool((body.get("stream_options") or {}).get("include_usage"))
                return await self._stream(completion, moments, reply, usage=usage)
            await asyncio.sleep(moments[-1])
            await reply.whole(HTTPStatus.OK, completion.whole())
        return True

    async def _stream(self, completion: Completion, moments: list[float], reply: Reply, *, usage: bool) -> bool:
        clock = asyncio.get_running_loop().time
        begun = clock()
        await asyncio.sleep(moments[0])
        await reply.begin_events()
        await reply.event(completion.chunk({"role": "assistant", "content": ""}))
        if completion.tool_call:
            await asyncio.sleep(max(0.0, begun + moments[-1] - clock()))
            await reply.event(completion.chunk({"tool_calls": [{"index": 0, **completion.tool_call}]}))
        else:
            for place, (token, moment) in enumerate(zip(completion.tokens, moments, strict=False)):
                await asyncio.sleep(max(0.0, begun + moment - clock()))
                if self.mode == "cut" and place >= len(completion.tokens) // 2:
                    return False
                garbled = self.mode == "garbage_sse"
                await reply.event('{"choices": [{' if garbled else completion.chunk({"content": token}))
        if self.mode == "garbage_sse":
            await reply.end_events()
            return True
        await reply.event(completion.chunk({}, completion.finish_reason))
        if usage:
            await reply.event(completion.last())
        await reply.event("[DONE]")
        await reply.end_events()
        return True


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": HTTPStatus(code).phrase, "param": None, "code": code}}


def _load(target: str) -> Answers:
    module, _, name = target.partition(":")
    answers: Answers = getattr(importlib.import_module(module), name)
    return answers


async def _serve(sim: Sim, host: str, port: int) -> None:
    server = await asyncio.start_server(sim.connection, host, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the arguments and serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--served-name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parent", type=int, help="die when this is no longer the parent")
    parser.add_argument("--answers", type=_load, help="module:function of (model, prompt, seed or None) to text")
    parser.add_argument("--mode", choices=MODES, default="normal")
    parser.add_argument("--ttft-ms", type=float, default=8.0)
    parser.add_argument("--tpot-ms", type=float, default=2.0)
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.parent is not None:
        die_with(given.parent)
    pace = Pace(given.ttft_ms, given.tpot_ms, given.slots, given.seed)
    sim = Sim(SimModel(given.model, given.served_name, given.answers, pace), given.mode)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(sim, given.host, given.port))


if __name__ == "__main__":
    main()
