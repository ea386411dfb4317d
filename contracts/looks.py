"""How a consumer finds its work by itself when a message was lost."""

from dataclasses import dataclass

from contracts.messages import Message


@dataclass(frozen=True, slots=True)
class Look:
    """One indexed query beside one message. `seconds` is how often to look, jittered by a quarter."""

    message: type[Message]
    finds: str
    sql: str
    seconds: float = 5.0
