"""Every AMQP method a channel answers, and the table that names them; any other is refused with 540.

A method returns its reply (not sent when the client said nowait) or None when it has none.
"""

import secrets
from collections.abc import Callable
from typing import Any

from pamqp.base import Frame
from pamqp.commands import Basic, Confirm, Exchange, Queue
from pamqp.commands import Channel as ChannelMethods

from infra.embedded.amqp import framing
from infra.embedded.amqp.channel import Channel, Consumer, Held
from infra.embedded.amqp.queues import Queue as MessageQueue
from infra.embedded.amqp.queues import QueueOptions
from infra.embedded.amqp.refusals import Refusal, not_implemented

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"
"""FastStream asks for it when it starts; it can be seen here, but not consumed from."""


def _named_queue(channel: Channel, name: str) -> MessageQueue:
    """An empty name means the queue this channel declared last."""
    if not name and not channel.last_queue:
        raise Refusal(404, "no previously declared queue")
    return channel.broker.queue(name or channel.last_queue, channel.wire)


def _refuse_options(method: Frame, *options: str) -> None:
    for option in options:
        if value := getattr(method, option):
            raise not_implemented(f"{option}={value!r} in {method.name}")


def _validate_name(method: Frame) -> None:
    """Names are what pamqp can send again: 127 characters of AMQP's own set (RabbitMQ allows more)."""
    try:
        method.validate()
    except ValueError as error:
        raise not_implemented(f"{method.name}: {error}") from error


def _exchange_declare(channel: Channel, method: Exchange.Declare) -> Frame:
    if method.passive:
        channel.broker.exchange(method.exchange)
        return Exchange.DeclareOk()
    _validate_name(method)
    _refuse_options(method, "auto_delete", "internal", "arguments")
    if not method.exchange:
        raise Refusal(403, "operation not permitted on the default exchange")
    channel.broker.declare_exchange(method.exchange, method.exchange_type, durable=method.durable)
    return Exchange.DeclareOk()


def _exchange_delete(channel: Channel, method: Exchange.Delete) -> Frame:
    if not method.exchange:
        raise Refusal(403, "operation not permitted on the default exchange")
    channel.broker.delete_exchange(method.exchange, if_unused=method.if_unused)
    return Exchange.DeleteOk()


def _queue_declare(channel: Channel, method: Queue.Declare) -> Frame:
    if method.passive and method.queue == DIRECT_REPLY_TO:
        return Queue.DeclareOk(method.queue, 0, 0)
    if method.passive:
        queue = _named_queue(channel, method.queue)
    else:
        _validate_name(method)
        options = QueueOptions(
            durable=method.durable,
            exclusive=method.exclusive,
            auto_delete=method.auto_delete,
            arguments=method.arguments or {},
        )
        queue = channel.broker.declare_queue(method.queue, options, channel.wire)
    channel.last_queue = queue.name
    return Queue.DeclareOk(queue.name, queue.ready, len(queue.consumers))


def _queue_bind(channel: Channel, method: Queue.Bind | Queue.Unbind) -> Frame:
    queue = _named_queue(channel, method.queue)
    if not method.exchange:
        raise Refusal(403, "operation not permitted on the default exchange")
    exchange = channel.broker.exchange(method.exchange)
    _refuse_options(method, "arguments")
    if isinstance(method, Queue.Unbind):
        exchange.unbind(method.routing_key, queue)
        return Queue.UnbindOk()
    exchange.bind(method.routing_key, queue)
    return Queue.BindOk()


def _queue_purge(channel: Channel, method: Queue.Purge) -> Frame:
    return Queue.PurgeOk(_named_queue(channel, method.queue).purge())


def _queue_delete(channel: Channel, method: Queue.Delete) -> Frame:
    if method.queue and method.queue not in channel.broker.queues:
        return Queue.DeleteOk(0)
    queue = _named_queue(channel, method.queue)
    if queue.options.quorum:
        _refuse_options(method, "if_unused", "if_empty")
    if method.if_unused and queue.consumers:
        raise Refusal(406, f"queue '{queue.name}' in vhost '/' in use")
    if method.if_empty and queue.ready:
        raise Refusal(406, f"queue '{queue.name}' in vhost '/' not empty")
    return Queue.DeleteOk(channel.broker.delete_queue(queue))


def _qos(channel: Channel, method: Basic.Qos) -> Frame:
    _refuse_options(method, "prefetch_size", "global_")
    channel.prefetch = method.prefetch_count
    return Basic.QosOk()


def _consume(channel: Channel, method: Basic.Consume) -> None:
    _refuse_options(method, "no_local", "arguments")
    if method.queue == DIRECT_REPLY_TO:
        raise not_implemented("direct reply-to")
    queue = _named_queue(channel, method.queue)
    tag = method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
    if tag in channel.consumers:
        raise Refusal(530, f"attempt to reuse consumer tag '{tag}'")
    taken = any(isinstance(other, Consumer) and other.exclusive for other in queue.consumers)
    if taken or (method.exclusive and queue.consumers):
        raise Refusal(403, f"queue '{queue.name}' in vhost '/' in exclusive use")
    consumer = Consumer(
        tag=tag,
        channel=channel,
        queue=queue,
        prefetch=channel.prefetch,
        no_ack=method.no_ack,
        exclusive=method.exclusive,
    )
    channel.consumers[tag] = consumer
    if not method.nowait:
        channel.send(Basic.ConsumeOk(tag))
    queue.consumers.append(consumer)
    queue.pump()


def _cancel(channel: Channel, method: Basic.Cancel) -> Frame:
    consumer = channel.consumers.pop(method.consumer_tag or "", None)
    if consumer is not None:
        channel.broker.leave(consumer.queue, consumer)
    return Basic.CancelOk(method.consumer_tag)


def _get(channel: Channel, method: Basic.Get) -> None:
    queue = _named_queue(channel, method.queue)
    entry = queue.pull()
    if entry is None:
        channel.send(Basic.GetEmpty())
        return
    tag = channel.hand_out(entry, queue, None, hold=not method.no_ack)
    message = entry.message
    reply = Basic.GetOk(tag, entry.redelivered, message.exchange, message.routing_key, queue.ready)
    frame = framing.method_frame(reply, channel.number)
    channel.send_content(frame, queue.header_of(entry), message.body)
    if method.no_ack:
        queue.settle(entry)


def _publish(channel: Channel, method: Basic.Publish) -> None:
    channel.begin_publish(method)


def _pump(released: list[Held]) -> None:
    """A consumer has free hands again, or its queue has its message back."""
    for queue in {held.queue: None for held in released}:
        queue.pump()


def _ack(channel: Channel, method: Basic.Ack) -> None:
    released = channel.release(method.delivery_tag, multiple=method.multiple)
    for held in released:
        held.queue.settle(held.entry)
    _pump(released)


def _reject(channel: Channel, method: Basic.Nack | Basic.Reject) -> None:
    multiple = isinstance(method, Basic.Nack) and method.multiple
    released = channel.release(method.delivery_tag or 0, multiple=multiple)
    for held in released:
        if method.requeue:
            held.queue.give_back(held.entry)
        else:
            held.queue.reject(held.entry)
    _pump(released)


def _confirm_select(channel: Channel, _method: Confirm.Select) -> Frame:
    channel.confirm_publishes()
    return Confirm.SelectOk()


def _flow(_channel: Channel, method: ChannelMethods.Flow) -> Frame:
    if not method.active:
        raise not_implemented("channel.flow active=false")
    return ChannelMethods.FlowOk(active=True)


HANDLERS: dict[type[Frame], Callable[[Channel, Any], Frame | None]] = {
    Exchange.Declare: _exchange_declare,
    Exchange.Delete: _exchange_delete,
    Queue.Declare: _queue_declare,
    Queue.Bind: _queue_bind,
    Queue.Unbind: _queue_bind,
    Queue.Purge: _queue_purge,
    Queue.Delete: _queue_delete,
    Basic.Qos: _qos,
    Basic.Consume: _consume,
    Basic.Cancel: _cancel,
    Basic.Get: _get,
    Basic.Publish: _publish,
    Basic.Ack: _ack,
    Basic.Nack: _reject,
    Basic.Reject: _reject,
    Confirm.Select: _confirm_select,
    ChannelMethods.Flow: _flow,
}


def answer(channel: Channel, method: Frame) -> None:
    """Do what the method says and reply. Raises Refusal."""
    handler = HANDLERS.get(type(method))
    if handler is None:
        raise not_implemented(method.name)
    reply = handler(channel, method)
    if reply is not None and not getattr(method, "nowait", False):
        channel.send(reply)
