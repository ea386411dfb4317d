"""Every AMQP method a channel answers; any other is refused with 540.

A method returns its reply (not sent when the client said nowait) or None when it has none.
"""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from pamqp.base import Frame
from pamqp.commands import Basic, Confirm, Exchange, Queue
from pamqp.commands import Channel as ChannelMethods

from infra.embedded.amqp.channel import Channel, Consumer, Incoming, pump
from infra.embedded.amqp.queues import Queue as MessageQueue
from infra.embedded.amqp.queues import QueueOptions
from infra.embedded.amqp.refusals import Refusal, not_implemented

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"
"""FastStream asks for it when it starts; it can be seen here, but not consumed from."""

Handler = TypeVar("Handler", bound=Callable[[Channel, Any], Frame | None])
HANDLERS: dict[type[Frame], Callable[[Channel, Any], Frame | None]] = {}


def answers(*methods: type[Frame]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(methods, handler))
        return handler

    return register


def answer(channel: Channel, method: Frame) -> None:
    """Do what the method says and reply. Raises Refusal."""
    handler = HANDLERS.get(type(method))
    if handler is None:
        raise not_implemented(method.name)
    reply = handler(channel, method)
    if reply is not None and not getattr(method, "nowait", False):
        channel.send(reply)


def _queue(channel: Channel, name: str) -> MessageQueue:
    """An empty name means the queue this channel declared last."""
    if not name and not channel.last_queue:
        raise Refusal(404, "no previously declared queue")
    return channel.broker.queue(name or channel.last_queue, channel.connection)


def _refuse(method: Frame, *options: str) -> None:
    for option in options:
        if value := getattr(method, option):
            raise not_implemented(f"{option}={value!r} in {method.name}")


def _check_name(method: Frame) -> None:
    """Names are what pamqp can send again: 127 characters of AMQP's own set (RabbitMQ allows more)."""
    try:
        method.validate()
    except ValueError as error:
        raise not_implemented(f"{method.name}: {error}") from error


@answers(Exchange.Declare)
def _exchange_declare(channel: Channel, method: Exchange.Declare) -> Frame:
    if method.passive or not method.exchange:
        channel.broker.exchange(method.exchange)
        return Exchange.DeclareOk()
    _check_name(method)
    _refuse(method, "auto_delete", "internal", "arguments")
    channel.broker.declare_exchange(method.exchange, method.exchange_type, durable=method.durable)
    return Exchange.DeclareOk()


@answers(Exchange.Delete)
def _exchange_delete(channel: Channel, method: Exchange.Delete) -> Frame:
    channel.broker.delete_exchange(method.exchange, if_unused=method.if_unused)
    return Exchange.DeleteOk()


@answers(Queue.Declare)
def _queue_declare(channel: Channel, method: Queue.Declare) -> Frame:
    if method.passive and method.queue == DIRECT_REPLY_TO:
        return Queue.DeclareOk(method.queue, 0, 0)
    if method.passive:
        queue = _queue(channel, method.queue)
    else:
        _check_name(method)
        options = QueueOptions(
            durable=method.durable,
            exclusive=method.exclusive,
            auto_delete=method.auto_delete,
            arguments=method.arguments or {},
        )
        queue = channel.broker.declare_queue(method.queue, options, channel.connection)
    channel.last_queue = queue.name
    return Queue.DeclareOk(queue.name, queue.ready, len(queue.consumers))


@answers(Queue.Bind, Queue.Unbind)
def _queue_bind(channel: Channel, method: Queue.Bind | Queue.Unbind) -> Frame:
    queue, exchange = _queue(channel, method.queue), channel.broker.exchange(method.exchange)
    _refuse(method, "arguments")
    if isinstance(method, Queue.Unbind):
        exchange.bindings.pop((method.routing_key, queue), None)
        return Queue.UnbindOk()
    exchange.bindings[(method.routing_key, queue)] = None
    return Queue.BindOk()


@answers(Queue.Purge)
def _queue_purge(channel: Channel, method: Queue.Purge) -> Frame:
    return Queue.PurgeOk(_queue(channel, method.queue).purge())


@answers(Queue.Delete)
def _queue_delete(channel: Channel, method: Queue.Delete) -> Frame:
    if method.queue and method.queue not in channel.broker.queues:
        return Queue.DeleteOk(0)
    queue = _queue(channel, method.queue)
    if queue.options.quorum:
        _refuse(method, "if_unused", "if_empty")
    if (method.if_unused and queue.consumers) or (method.if_empty and queue.ready):
        raise Refusal(406, f"queue '{queue.name}' in vhost '/' in use or not empty")
    return Queue.DeleteOk(channel.broker.delete_queue(queue))


@answers(Basic.Qos)
def _qos(channel: Channel, method: Basic.Qos) -> Frame:
    _refuse(method, "prefetch_size", "global_")
    channel.prefetch = method.prefetch_count
    return Basic.QosOk()


@answers(Basic.Consume)
def _consume(channel: Channel, method: Basic.Consume) -> None:
    _refuse(method, "no_local", "arguments")
    if method.queue == DIRECT_REPLY_TO:
        raise not_implemented("direct reply-to")
    queue = _queue(channel, method.queue)
    tag = method.consumer_tag or f"amq.ctag-{secrets.token_urlsafe(16)}"
    if tag in channel.consumers:
        raise Refusal(530, f"attempt to reuse consumer tag '{tag}'")
    if queue.consumers and (method.exclusive or queue.consumers[0].exclusive):
        raise Refusal(403, f"queue '{queue.name}' in vhost '/' in exclusive use")
    consumer = Consumer(tag, channel, queue, channel.prefetch, method.no_ack, method.exclusive)
    channel.consumers[tag] = consumer
    if not method.nowait:
        channel.send(Basic.ConsumeOk(tag))
    queue.consumers.append(consumer)
    queue.pump()


@answers(Basic.Cancel)
def _cancel(channel: Channel, method: Basic.Cancel) -> Frame:
    consumer = channel.consumers.pop(method.consumer_tag or "", None)
    if consumer is not None:
        consumer.leave()
    return Basic.CancelOk(method.consumer_tag)


@answers(Basic.Get)
def _get(channel: Channel, method: Basic.Get) -> Frame | None:
    queue = _queue(channel, method.queue)
    entry = queue.pull()
    if entry is None:
        return Basic.GetEmpty()
    tag, message = channel.hold(entry, queue, None, no_ack=method.no_ack), entry.message
    reply = Basic.GetOk(tag, entry.returns > 0, message.exchange, message.routing_key, queue.ready)
    channel.send_message(reply, entry, queue)
    return None


@answers(Basic.Publish)
def _publish(channel: Channel, method: Basic.Publish) -> None:
    _refuse(method, "immediate")
    channel.incoming = Incoming(method)


@answers(Basic.Ack)
def _ack(channel: Channel, method: Basic.Ack) -> None:
    released = channel.release(method.delivery_tag, multiple=method.multiple)
    for held in released:
        held.queue.settle(held.entry)
    pump(released)


@answers(Basic.Nack, Basic.Reject)
def _reject(channel: Channel, method: Basic.Nack | Basic.Reject) -> None:
    multiple = isinstance(method, Basic.Nack) and method.multiple
    released = channel.release(method.delivery_tag or 0, multiple=multiple)
    for held in released:
        if method.requeue:
            held.queue.give_back(held.entry)
        else:
            channel.broker.bury(held.queue, held.entry, "rejected")
    pump(released)


@answers(Confirm.Select)
def _confirm_select(channel: Channel, _method: Confirm.Select) -> Frame:
    channel.confirmed = channel.confirmed or 0
    return Confirm.SelectOk()


@answers(ChannelMethods.Flow)
def _flow(_channel: Channel, method: ChannelMethods.Flow) -> Frame:
    if not method.active:
        raise not_implemented("channel.flow active=false")
    return ChannelMethods.FlowOk(active=True)
