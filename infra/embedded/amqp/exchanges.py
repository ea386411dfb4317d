"""Exchanges and how a routing key finds its queues."""

from infra.embedded.amqp.queues import Queue

KINDS = ("direct", "fanout", "topic")


def topic_matches(pattern: str, key: str) -> bool:
    """AMQP 0-9-1 section 3.1.3.3: `*` is exactly one word, `#` any number; an empty key has no words.

    At most pattern times key steps, however many `#` there are.
    """
    words = key.split(".") if key else []
    reached = {0}
    for part in pattern.split(".") if pattern else []:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
        if not reached:
            return False
    return len(words) in reached


class Exchange:
    """One of `KINDS`, and its bindings in the order they were made."""

    def __init__(self, kind: str, *, durable: bool) -> None:
        self.kind = kind
        self.durable = durable
        self.bindings: dict[tuple[str, Queue], None] = {}

    def forget(self, queue: Queue) -> None:
        self.bindings = {binding: None for binding in self.bindings if binding[1] is not queue}

    def route(self, key: str) -> tuple[Queue, ...]:
        """Every queue once, however many of its bindings match."""
        return tuple(dict.fromkeys(queue for pattern, queue in self.bindings if self._matches(pattern, key)))

    def _matches(self, pattern: str, key: str) -> bool:
        if self.kind == "topic":
            return topic_matches(pattern, key)
        return self.kind == "fanout" or pattern == key
