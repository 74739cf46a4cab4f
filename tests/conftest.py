"""Services for tests: real ones, at the addresses of the environment; a missing one fails the test that needs it."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTGRES_URL = os.environ.get("GATEKEEPER_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("GATEKEEPER_TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
AMQP_URL = os.environ.get("GATEKEEPER_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//")

settings.register_profile("gatekeeper", derandomize=True, deadline=None)  # the same cases each time, on any machine
settings.load_profile("gatekeeper")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Give a fresh, empty PostgreSQL database, dropped afterwards."""
    import psycopg  # noqa: PLC0415 - tests without PostgreSQL do not need the driver

    name = f"gatekeeper_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    yield POSTGRES_URL.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def redis_url() -> str:
    """Give the Redis that tests use; isolate by queue prefix."""
    return REDIS_URL


@pytest.fixture
def amqp_url() -> str:
    """Give the RabbitMQ that tests use; isolate by queue prefix."""
    return AMQP_URL
