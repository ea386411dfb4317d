"""What a channel does with each frame; a method, or an option of it, without a case here is refused: 540."""

import secrets

from pamqp import frame as codec
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Confirm, Exchange, Queue
from pamqp.header import ContentHeader

from infra.embedded.amqp.channel import Channel
from infra.embedded.amqp.framing import Refusal, not_implemented


def handle(channel: Channel, frame: codec.FrameTypes, size: int) -> None:
    """Do what the frame says, and reply if it wants a reply. Raises Refusal."""
    reply: Frame | None = None
    match frame:
        case ContentHeader():
            channel.on_header(frame, size)
        case ContentBody():
            channel.on_body(frame.value)
        case Frame() if channel.publishing is not None:
            raise Refusal(505, f"expected the content of a publish, got {frame.name}")
        case Exchange.Declare() | Queue.Declare() | Queue.Bind() | Queue.Purge() | Queue.Delete():
            reply = _change_topology(channel, frame)
        case Frame():
            reply = _move_messages(channel, frame)
    if reply is not None and not getattr(frame, "nowait", False):
        channel.send(reply)


def _change_topology(channel: Channel, method: Frame) -> Frame:
    broker, me = channel.broker, channel.connection
    reply: Frame
    match method:
        case Exchange.Declare(passive=True):
            broker.exchange(method.exchange)
            reply = Exchange.DeclareOk()
        case Exchange.Declare(exchange_type="topic", durable=True, auto_delete=False, internal=False) if (
            not method.arguments and not method.exchange.startswith("amq.")
        ):
            broker.exchanges.setdefault(method.exchange, {})
            reply = Exchange.DeclareOk()
        case Queue.Declare(passive=True, queue="amq.rabbitmq.reply-to"):  # FastStream asks when it starts
            reply = Queue.DeclareOk(method.queue, 0, 0)
        case Queue.Declare() if method.passive or not method.queue.startswith("amq."):
            queue = broker.declare_queue(method, me)
            reply = Queue.DeclareOk(queue.name, len(queue.waiting), len(queue.consumers))
        case Queue.Bind() if not method.arguments:
            broker.bind(method.exchange, broker.queue(method.queue, me), method.routing_key)
            reply = Queue.BindOk()
        case Queue.Purge():
            reply = Queue.PurgeOk(broker.queue(method.queue, me).purge())
        case Queue.Delete(if_unused=False, if_empty=False):
            known = method.queue in broker.queues
            reply = Queue.DeleteOk(broker.delete_queue(broker.queue(method.queue, me)) if known else 0)
        case _:
            raise not_implemented(_as_asked(method))
    return reply


def _move_messages(channel: Channel, method: Frame) -> Frame | None:
    match method:
        case Basic.Publish(immediate=False):
            if method.exchange:
                channel.broker.exchange(method.exchange)
            channel.publishing = method
        case Basic.Ack(multiple=False):
            channel.release(method.delivery_tag, "acknowledged")
        case Basic.Nack(multiple=False) | Basic.Reject():
            channel.release(method.delivery_tag or 0, "requeued" if method.requeue else "rejected")
        case Basic.Consume(no_local=False, no_ack=False, exclusive=False) if not method.arguments:
            queue = channel.broker.queue(method.queue, channel.connection)
            channel.consume(queue, method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}")
        case Basic.Cancel():
            channel.cancel(method.consumer_tag or "")
            return Basic.CancelOk(method.consumer_tag)
        case Basic.Qos(prefetch_size=0, global_=False):
            channel.prefetch = method.prefetch_count
            return Basic.QosOk()
        case Confirm.Select():
            channel.confirmed = channel.confirmed or 0
            return Confirm.SelectOk()
        case _:
            raise not_implemented(_as_asked(method))
    return None


def _as_asked(method: Frame) -> str:
    return f"{method.name}({', '.join(f'{name}={value!r}' for name, value in method if value)})"
