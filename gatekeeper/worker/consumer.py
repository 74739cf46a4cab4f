"""Celery's consumer without the steps that we do not use."""

from __future__ import annotations

from typing import ClassVar

from celery.worker.consumer import Consumer as CeleryConsumer

_UNUSED = ("delayed_delivery", "gossip", "mingle", "heart", "events", "control")


class Consumer(CeleryConsumer):  # type: ignore[misc]  # Celery has no types
    """Consume tasks, and nothing else: no ETA queues (28 of them on RabbitMQ), no events, no remote control."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc]  # Celery has no types
        """List the steps that remain."""

        default_steps: ClassVar[list[str]] = [
            step
            for step in CeleryConsumer.Blueprint.default_steps
            if not any(f".{unused}:" in str(step) for unused in _UNUSED)
        ]
