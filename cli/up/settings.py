"""The settings of all processes together, checked before any part of the application starts."""

import os

from cli.up.environments import Wiring
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
