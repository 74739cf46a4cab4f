"""Print the names of those services, given as NAME=URL, that do not answer, with the driver that the product uses."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

WAIT_S = 3


def ask(url: str) -> None:
    """Open a connection to the service at this address and close it again.

    Raises:
        Exception: whatever the driver raises when the service is away or refuses us.
    """
    match urlsplit(url).scheme:
        case "postgresql":
            import psycopg  # noqa: PLC0415 - only the driver that is asked for

            psycopg.connect(url, connect_timeout=WAIT_S).close()
        case "redis":
            import redis  # noqa: PLC0415 - as above

            redis.Redis.from_url(url, socket_connect_timeout=WAIT_S, socket_timeout=WAIT_S).ping()
        case "amqp":
            import kombu  # noqa: PLC0415 - as above

            with kombu.Connection(url, connect_timeout=WAIT_S) as connection:
                connection.connect()
        case other:
            raise ValueError(f"no driver for {other}: in {url!r}; known: postgresql, redis, amqp")


def main(wanted: list[str]) -> None:
    """Ask each service in turn and name the silent ones."""
    for name, _, url in (item.partition("=") for item in wanted):
        try:
            ask(url)
        except Exception as fault:  # noqa: BLE001 - each driver has its own tree, and any fault means "not usable"
            print(name)
            print(f"{name}: {fault}".splitlines()[0], file=sys.stderr)


main(sys.argv[1:])
