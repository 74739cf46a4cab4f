"""The proxy one writes in an afternoon: FastAPI in front, httpx behind, with cohorts, a copy and a record.

`python fastapi_proxy.py PORT BASELINE_URL CANDIDATE_URL CANDIDATE_BP MIRROR(0 or 1) RECORD_FILE`
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PORT, BASELINE, CANDIDATE, SHARE_BP, MIRROR, PATH = sys.argv[1:]
RECORD = Path(PATH).open("a", encoding="utf-8")  # noqa: SIM115 - open for as long as the process lives
KEY = "Bearer sk-bench"
CANDIDATE_SHARE = int(SHARE_BP) / 10_000
COPIES: set[asyncio.Task[Any]] = set()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the client."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=300) as app.state.client:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    """Forward one request to its user's arm."""
    began = time.perf_counter()
    body = await request.body()
    asked = json.loads(body)
    if request.headers.get("authorization") != KEY:
        return Response(status_code=401)
    share = int.from_bytes(hashlib.sha256(str(asked.get("user")).encode()).digest()[:4]) / 2**32
    arm, root = ("candidate", CANDIDATE) if share < CANDIDATE_SHARE else ("baseline", BASELINE)
    client = app.state.client
    headers = {"content-type": "application/json"}
    if MIRROR == "1":
        copy = asyncio.create_task(client.post(f"{CANDIDATE}/v1/chat/completions", content=body, headers=headers))
        COPIES.add(copy)
        copy.add_done_callback(COPIES.discard)
    sent = client.build_request("POST", f"{root}/v1/chat/completions", content=body, headers=headers)
    answer = await client.send(sent, stream=True)

    async def passed() -> AsyncIterator[bytes]:
        async for piece in answer.aiter_raw():
            yield piece
        await answer.aclose()
        RECORD.write(json.dumps({"arm": arm, "latency_ms": (time.perf_counter() - began) * 1000}) + "\n")

    return StreamingResponse(passed(), answer.status_code, media_type=answer.headers["content-type"])


if __name__ == "__main__":
    uvicorn.run(app, port=int(PORT), log_level="warning", access_log=False)
