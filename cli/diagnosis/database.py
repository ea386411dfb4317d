"""What the database can tell about the whole system."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cli.diagnosis.model import Finding, bad, good
from infra.clock import now
from infra.migrations.run import current_revision, head_revision

SUPPORTED = range(15, 19)
CLOCK_SECONDS = 5.0
OUTBOX_SECONDS = 60.0

_WORKERS = text("""
    SELECT unnest(roles) AS role, bool_or(lease_until > now()) AS alive
      FROM workers WHERE released_at IS NULL GROUP BY 1
""")
_OUTBOX = text("""
    SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(available_at)), 0) AS late
      FROM outbox WHERE available_at < now()
""")
_LETTERS = text("SELECT count(*) FROM dead_letters WHERE status = 'open'")


async def examine(engine: AsyncEngine) -> list[Finding]:
    """Version, clock and schema, and what a migrated database knows; raises when it cannot be reached."""
    async with engine.connect() as connection:
        findings = [await _version(connection), await _clock(connection)]
    schema = await _schema(engine)
    findings.append(schema)
    if schema.ok:
        async with engine.connect() as connection:
            findings += [await _leases(connection), await _outbox(connection), await _letters(connection)]
    return findings


async def _version(connection: AsyncConnection) -> Finding:
    number = int(await connection.scalar(text("SHOW server_version_num"))) // 10_000
    if number in SUPPORTED:
        return good("database", f"PostgreSQL {number}")
    wanted = f"{SUPPORTED[0]} to {SUPPORTED[-1]}"
    return bad("database", f"PostgreSQL {number}", f"Use PostgreSQL {wanted}; others are not tested.")


async def _clock(connection: AsyncConnection) -> Finding:
    before = now()
    there = await connection.scalar(text("SELECT clock_timestamp()"))
    middle = before + (now() - before) / 2
    apart = abs((there - middle).total_seconds())
    if apart <= CLOCK_SECONDS:
        return good("clock", f"{apart * 1000:.0f} ms apart from the database's")
    return bad("clock", f"{apart:.0f} s apart from the database's", "Set both clocks by NTP.")


async def _schema(engine: AsyncEngine) -> Finding:
    current, head = await current_revision(engine), head_revision()
    if current == head:
        return good("schema", f"revision {head}")
    detail = f"revision {current or 'none'}, this program needs {head}"
    return bad(
        "schema", detail, "Run `opsconductor migrate`, or upgrade this program when it is the older one."
    )


async def _leases(connection: AsyncConnection) -> Finding:
    alive = {row.role for row in await connection.execute(_WORKERS) if row.alive}
    if "executor" not in alive:
        return bad(
            "workers", "no executor is alive", "Start one: `opsconductor worker`, or `opsconductor up`."
        )
    return good("workers", f"alive: {', '.join(sorted(alive))}")


async def _outbox(connection: AsyncConnection) -> Finding:
    row = (await connection.execute(_OUTBOX)).one()
    if row.late <= OUTBOX_SECONDS:
        return good("outbox", f"{row.rows} messages due")
    detail = f"{row.rows} messages due, the oldest for {row.late:.0f} s"
    return bad("outbox", detail, "Is the broker reachable, and does a worker run? Runs go on, slower.")


async def _letters(connection: AsyncConnection) -> Finding:
    count = int(await connection.scalar(_LETTERS) or 0)
    if not count:
        return good("dead letters", "none open")
    return bad("dead letters", f"{count} open", "See `opsconductor dlq list`; replay or discard each.")
