"""Run migrations over the connection, and in the transaction, that the caller has begun."""

from __future__ import annotations

from alembic import context

from gatekeeper.adapters.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
