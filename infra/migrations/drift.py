"""Whether the migrated schema and the tables in contracts still agree."""

from typing import Any, Literal

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.sql.schema import SchemaItem

from contracts.tables import Base
from contracts.tables.base import Xid8


def is_ours(
    item: SchemaItem,
    name: str | None,
    type_: Literal[
        "schema",
        "table",
        "column",
        "index",
        "unique_constraint",
        "foreign_key_constraint",
        "check_constraint",
    ],
    reflected: bool,  # noqa: FBT001  (alembic calls it by position)
    compare_to: SchemaItem | None,
) -> bool:
    """Monthly partitions come and go by themselves; everything else is declared."""
    partition = type_ == "table" and reflected and compare_to is None and _is_partition(name or "")
    table = getattr(getattr(item, "table", None), "name", "")
    return not (partition or _is_partition(table))


def _is_partition(name: str) -> bool:
    return name.startswith(("run_events_", "output_chunks_"))


def differences(connection: Connection) -> list[Any]:
    """What the migrations left different from the declared tables; empty when they agree."""
    connection.dialect.ischema_names["xid8"] = Xid8  # type: ignore[attr-defined]
    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    return list(compare_metadata(context, Base.metadata))
