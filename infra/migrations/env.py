"""How alembic reaches the database: the connection is given by `infra.migrations.run`."""

from alembic import context
from sqlalchemy import Connection

from contracts.tables import Base
from infra.migrations.drift import is_ours

connection: Connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=is_ours,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
