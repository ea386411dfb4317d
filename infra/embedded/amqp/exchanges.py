"""Exchanges and how a routing key finds its queues."""

from infra.embedded.amqp.queues import Queue

KINDS = ("direct", "fanout", "topic")
ROUTES_REMEMBERED = 4096


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
    """One of `KINDS`; remembers routes until a binding changes."""

    def __init__(self, name: str, kind: str, *, durable: bool) -> None:
        self.name = name
        self.kind = kind
        self.durable = durable
        self._bindings: dict[tuple[str, Queue], None] = {}
        self._routes: dict[str, tuple[Queue, ...]] = {}

    @property
    def in_use(self) -> bool:
        return bool(self._bindings)

    def bind(self, key: str, queue: Queue) -> None:
        self._bindings[(key, queue)] = None
        self._routes.clear()

    def unbind(self, key: str, queue: Queue) -> None:
        self._bindings.pop((key, queue), None)
        self._routes.clear()

    def forget(self, queue: Queue) -> None:
        self._bindings = {binding: None for binding in self._bindings if binding[1] is not queue}
        self._routes.clear()

    def route(self, key: str) -> tuple[Queue, ...]:
        """Every queue once, however many of its bindings match."""
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= ROUTES_REMEMBERED:
                self._routes.clear()
            matching = {queue: None for pattern, queue in self._bindings if self._matches(pattern, key)}
            found = self._routes[key] = tuple(matching)
        return found

    def _matches(self, pattern: str, key: str) -> bool:
        if self.kind == "topic":
            return topic_matches(pattern, key)
        return self.kind == "fanout" or pattern == key
