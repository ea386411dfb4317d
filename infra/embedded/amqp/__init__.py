"""An in-memory AMQP 0-9-1 endpoint for machines without RabbitMQ: a doorbell, the database is the truth."""

from infra.embedded.amqp.server import AmqpServer as AmqpServer
