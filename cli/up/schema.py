"""Settings, schema and topology, before anything of the application starts."""

import os

from cli.up.database import has_users, prepare_all
from cli.up.environments import Wiring
from infra.database import connect
from infra.settings import Role, Settings, load_settings


def require_safe(wiring: Wiring, database_url: str) -> Settings:
    """The settings of all processes together; raises `UnsafeSettings` with everything that is wrong.

    What the environment did not decide is decided by now, and stands in our own environment from here on.
    """
    decided = {
        "OPS_DATABASE_URL": database_url,
        "OPS_AMQP_URL": wiring.amqp_url,
        "OPS_SEAL_PUBLIC_KEY": wiring.public_key,
        "OPS_SEAL_PRIVATE_KEY": wiring.private_key,
        "OPS_JWT_KEYS": wiring.jwt_keys,
    }
    os.environ.update(decided)
    return load_settings(*Role)


async def prepare(settings: Settings) -> bool:
    """Bring database and broker to what this program needs; whether nobody has an account yet."""
    engine = connect(settings.database_url, name="up", pool_size=1)
    try:
        await prepare_all(engine, settings)
        return not await has_users(engine)
    finally:
        await engine.dispose()
