"""Schema and topology, before the gateway starts."""

from cli.up.database import has_users, prepare_all
from infra.database import connect
from infra.settings import Settings


async def prepare(settings: Settings) -> bool:
    """Bring database and broker to what this program needs; whether nobody has an account yet."""
    engine = connect(settings.database_url, name="up", pool_size=1)
    try:
        await prepare_all(engine, settings)
        return not await has_users(engine)
    finally:
        await engine.dispose()
