"""How executors find connection tests whose message was lost."""

from contracts.looks import Look
from contracts.targets.messages import TestConnection

TEST_CONNECTION = Look(
    TestConnection,
    "connection tests that nobody has begun",
    """
    SELECT id FROM connection_tests
     WHERE status = 'requested' AND parked_by IS NULL AND pool = ANY(:pools)
     ORDER BY id LIMIT :limit
    """,
)

LOOKS: tuple[Look, ...] = (TEST_CONNECTION,)
