"""What the endpoint refuses, in AMQP's own numbers (AMQP 0-9-1, section 1.2)."""

from pamqp.exceptions import CLASS_MAPPING, AMQPHardError


class Refusal(Exception):
    """Closes the channel or, for what AMQP calls a hard error, the connection; the text is for a person."""

    def __init__(self, code: int, reason: str) -> None:
        kind = CLASS_MAPPING[code]
        self.code = code
        self.closes_connection = issubclass(kind, AMQPHardError)
        text = f"{kind.__dict__['name'].replace('-', '_')} - {reason}"
        self.text = text.encode()[:255].decode(errors="ignore")
        super().__init__(self.text)


def not_implemented(thing: str) -> Refusal:
    return Refusal(540, f"the embedded endpoint does not implement {thing}; use RabbitMQ for that")
