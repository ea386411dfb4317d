"""The topology as a RabbitMQ definitions file: `python -m infra.rabbitmq.definitions` prints it.

For a broker that imports its exchanges, queues and bindings at start. `opsconductor migrate` declares the
same ones from the same source, so it does not matter which came first.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

from contracts import topology
from contracts.topology import DEFAULT_POOL, QueueType


def definitions(
    *, queue_type: QueueType = "quorum", pools: Iterable[str] = (DEFAULT_POOL,), vhost: str = "/"
) -> dict[str, Any]:
    """Exchanges, durable queues and their bindings, as RabbitMQ imports them."""
    queues = topology.durable_queues(pools)
    common = {"vhost": vhost, "durable": True, "auto_delete": False}
    return {
        "exchanges": [
            {"name": exchange.name, **common, "internal": False, "type": exchange.type, "arguments": {}}
            for exchange in topology.EXCHANGES
        ],
        "queues": [
            {"name": queue.name, **common, "arguments": queue.arguments(queue_type)} for queue in queues
        ],
        "bindings": [
            {
                "source": queue.exchange,
                "vhost": vhost,
                "destination": queue.name,
                "destination_type": "queue",
                "routing_key": queue.routing_key,
                "arguments": {},
            }
            for queue in queues
        ],
    }


def definitions_text() -> str:
    """The definitions as the committed file holds them."""
    return json.dumps(definitions(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(definitions_text())
