"""Every bound of the gateway, in one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bound time, size and number; times in seconds, sizes in bytes.

    connect_s: opening an upstream connection. first_byte_s: request sent to the first byte of a stream's body.
    answer_s: the same for an answer that is not streamed, which is the whole generation. between_s: silence between
    two reads of a body. total_s: a whole exchange. shadow_first_byte_s and shadow_total_s: the same for mirrored
    copies. shadow_in_flight: copies at a time; beyond it they are dropped and counted.
    handshake_s: a client's TLS handshake, and its PROXY header.
    head_s: from a request's first byte to the end of its head. body_s: from there to its last byte. idle_s: a client's
    connection without a request.
    linger_s: how long a refused client may go on sending before its connection is cut.
    upstream_idle_s: kept upstream connections without a request (servers close theirs after 5 s or more).
    record_bytes: of an answer, kept for scoring; what is longer is recorded cut. record_queue: exchanges waiting for
    the recorder. breaker_failures in a row open a candidate's breaker for breaker_open_s.
    in_flight: users' requests at a time in one worker; beyond it they are answered 503 with Retry-After, and counted.
    rescue_share, rescue_floor_per_s: requests failed by the candidate that the baseline is asked again: a share of
    all requests, and each second whatever the traffic; beyond it the failure is passed on, and counted.
    sweep_s: how often deadlines are looked at, the precision of all of the above.
    """

    connect_s: float = 2.0
    first_byte_s: float = 60.0
    answer_s: float = 300.0
    between_s: float = 60.0
    total_s: float = 900.0
    shadow_first_byte_s: float = 60.0
    shadow_total_s: float = 300.0
    shadow_in_flight: int = 256
    handshake_s: float = 10.0
    head_s: float = 10.0
    body_s: float = 60.0
    idle_s: float = 75.0
    linger_s: float = 1.0
    upstream_idle_s: float = 4.0
    upstream_idle_connections: int = 256
    header_bytes: int = 32 << 10
    header_count: int = 100
    body_bytes: int = 32 << 20
    pipelined: int = 16
    record_bytes: int = 4 << 20
    record_queue: int = 20_000
    breaker_failures: int = 5
    breaker_open_s: float = 10.0
    in_flight: int = 10_000
    rescue_share: float = 0.2
    rescue_floor_per_s: float = 10.0
    sweep_s: float = 0.1
