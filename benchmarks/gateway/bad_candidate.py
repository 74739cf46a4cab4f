"""A candidate that misbehaves: `python bad_candidate.py PORT reset|trickle`.

reset: reads a request and resets the connection. trickle: answers one byte a second. `GET /count` says how many
copies of the gateway's it has read.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys

ANSWER = b'{"id":"x","object":"chat.completion","choices":[]}'
RESET = struct.pack("ii", 1, 0)
SHADOW = b"x-gatekeeper-shadow"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Bad:
    """Count requests and answer them badly."""

    def __init__(self, mode: str) -> None:
        """Have read none."""
        self.mode = mode
        self.read = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /count"):
                    body = str(self.read).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                    continue
                if length := LENGTH.search(head):
                    await reader.readexactly(int(length[1]))
                    self.read += SHADOW in head.lower()
                if self.mode == "reset":
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(ANSWER))
                for byte in ANSWER:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(1.0)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def main() -> None:
    """Serve until stopped."""
    server = await asyncio.start_server(Bad(sys.argv[2]).serve, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
