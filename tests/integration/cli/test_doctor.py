"""The doctor against real services."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from gatekeeper.adapters.store.engine import connect, parse_url
from gatekeeper.adapters.store.schema import upgrade
from gatekeeper.cli._checkup import Health, Remark, broker, database, port
from gatekeeper.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def migrate(url: str) -> None:
    engine = connect(parse_url(url))
    with engine.begin() as connection:
        upgrade(connection, "head")
    engine.dispose()


@pytest.mark.services
def test_an_empty_database_is_broken_until_it_is_migrated(postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url)
    before = database(settings)
    assert (before.health, before.mend) == (Health.BROKEN, "gatekeeper db upgrade")
    migrate(postgres_url)
    assert database(settings).health is Health.OK


def test_a_sqlite_file_is_made_later_and_then_found(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/gatekeeper.db")
    assert database(settings).health is Health.ABSENT
    assert list(tmp_path.iterdir()) == []
    migrate(settings.database_url)
    assert database(settings).health is Health.OK


def test_a_database_that_is_none_of_ours_is_named() -> None:
    remark = database(Settings(database_url="mysql://root:hunter2@127.0.0.1/x"))
    assert remark.health is Health.BROKEN
    assert "expected sqlite:///FILE or postgresql://" in remark.found
    assert "hunter2" not in remark.found


@pytest.mark.services
def test_brokers_that_answer_are_well(redis_url: str, amqp_url: str) -> None:
    for url in (redis_url, amqp_url):
        assert broker(Settings(broker_url=url)).health is Health.OK


def test_a_broker_of_an_unknown_kind_is_named() -> None:
    assert broker(Settings(broker_url="nosuch://127.0.0.1")).health is Health.BROKEN


def test_ports_are_free_ours_or_taken() -> None:
    assert port("api", "127.0.0.1", 0, "healthz").health is Health.OK
    assert busy(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").health is Health.OK
    for answer in (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", b"220 mail\r\n", b""):
        remark = busy(answer)
        assert (remark.health, remark.mend) == (
            Health.BROKEN,
            "stop what listens there, or set GATEKEEPER_API_PORT",
        )


def busy(answer: bytes) -> Remark:
    """Look at a port where something takes one call and gives this answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve_once, args=(server, answer))
        thread.start()
        remark = port("api", "127.0.0.1", server.getsockname()[1], "healthz")
        thread.join()
    return remark


def _serve_once(server: socket.socket, answer: bytes) -> None:
    caller, _ = server.accept()
    with caller:
        caller.recv(4096)
        caller.sendall(answer)
