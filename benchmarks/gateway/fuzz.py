"""Throw broken and hostile bytes at the gateway's two parsers: `python benchmarks/gateway/fuzz.py [INPUTS] [SEED]`.

Every input goes through its side twice, cut into reads differently each time. It is a finding when anything raises,
when one input takes more than HANG_S of processor time, when the two ways of cutting are understood differently, or
when a request is understood otherwise than by a strict reader. Exits 1 on the first one, and prints it.
"""

from __future__ import annotations

import random
import re
import signal
import sys
import time
import traceback
from typing import NoReturn

from fuzz_inputs import REQUESTS, RESPONSES, cuts, mutate
from fuzz_sides import answer, requests

HANG_S = 2.0
_LINE = re.compile(rb"([A-Z-]+) +([\x21-\x7e\x80-\xff]+) +HTTP/1\.[01]")
"""Several spaces are in no doubt; the gateway writes the line anew."""
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;.*)?", re.DOTALL)


class FindingError(Exception):
    """Say what was found."""


def read_strictly(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Return the requests at the start of `data` that leave no doubt, up to the first that does."""
    found: list[tuple[bytes, bytes, bytes]] = []
    while True:
        data = data.lstrip(b"\r\n")
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark or b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
            return found
        first, *lines = head.split(b"\r\n")
        line = _LINE.fullmatch(first)
        pairs = [each.partition(b":") for each in lines]
        if line is None or not all(colon and _NAME.fullmatch(name) for name, colon, _ in pairs):
            return found
        headers = [(name.lower(), value.strip(b" \t")) for name, _, value in pairs]
        body = _body(headers, rest)
        if body is None or sum(name == b"host" for name, _ in headers) > 1:
            return found
        found.append((line[1], line[2], body[0]))
        data = body[1]


def _body(headers: list[tuple[bytes, bytes]], rest: bytes) -> tuple[bytes, bytes] | None:
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        return None
    if codings:
        return _chunks(rest) if codings == [b"chunked"] else None
    if lengths and not lengths[0].isdigit():
        return None
    size = int(lengths[0]) if lengths else 0
    return (rest[:size], rest[size:]) if len(rest) >= size else None


def _chunks(rest: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line, mark, rest = rest.partition(b"\r\n")
        size = _SIZE.fullmatch(line)
        if not mark or size is None:
            return None
        count = int(size[1], 16)
        if count == 0:
            break
        if rest[count : count + 2] != b"\r\n":
            return None
        body, rest = body + rest[:count], rest[count + 2 :]
    while True:
        line, mark, rest = rest.partition(b"\r\n")
        if not mark:
            return None
        if not line:
            return body, rest


def check_request(rng: random.Random, data: bytes) -> None:
    """Give a client's bytes to the gateway, in two cuttings.

    Raises:
        FindingError: they were understood differently, or otherwise than by a strict reader.
    """
    seen, statuses = requests(cuts(rng, data))
    again, other = requests(cuts(rng, data))
    if seen != again or statuses[:1] != other[:1]:
        raise FindingError(f"cut one way: {seen} {statuses}; cut another: {again} {other}")
    strict = read_strictly(data)
    if seen != strict[: len(seen)]:
        raise FindingError(f"understood: {seen}; a strict reader: {strict}")


def check_response(rng: random.Random, data: bytes) -> None:
    """Give an upstream's bytes to the gateway, in two cuttings.

    Raises:
        FindingError: they were understood differently.
    """
    one, two = answer(cuts(rng, data)), answer(cuts(rng, data))
    whole = "whole" in (one[0], two[0])
    if one[0] != two[0] or (whole and one != two):
        raise FindingError(f"cut one way: {one}; cut another: {two}")


def run(inputs: int, seed: int) -> dict[str, int]:
    """Try that many inputs; return how many were understood, by side.

    Raises:
        FindingError: of the first input that is one; its message holds the input.
    """
    rng = random.Random(seed)  # noqa: S311 - the same inputs for the same seed
    counts = {"requests": 0, "responses": 0}
    signal.signal(signal.SIGVTALRM, _hangs)
    try:
        for _ in range(inputs):
            client = rng.random() < 0.5  # noqa: PLR2004 - half of them
            seeds = REQUESTS if client else RESPONSES
            data = mutate(rng, rng.choice(seeds), seeds)
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            try:
                if client:
                    check_request(rng, data)
                else:
                    check_response(rng, data)
            except Exception as exc:
                raise FindingError(f"{'request' if client else 'response'} {data!r}: {exc!r}") from exc
            counts["requests" if client else "responses"] += 1
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return counts


def _hangs(*_: object) -> NoReturn:
    raise FindingError(f"more than {HANG_S:g} s of processor time")


def main() -> None:
    """Run, and print what was tried."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0  # noqa: PLR2004 - the second argument
    begun = time.monotonic()
    try:
        counts = run(inputs, seed)
    except FindingError:
        traceback.print_exc()
        sys.exit(1)
    tried = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print(f"{inputs:,} inputs (seed {seed}): {tried}; no crash, no hang, no two readings", end="; ")
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
