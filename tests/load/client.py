"""A small raw HTTP/1.1 client in a process of its own, so that measuring costs the measured little.

Reads one JSON object from stdin: port, connections, seconds, path, headers, body. Keeps that many connections
busy with the same POST for that long and prints what came of it. Times are of the machine's monotonic clock.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import uvloop


def request_bytes(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Connection(asyncio.Protocol):
    """Sends the request again as soon as it is answered, until the time is over."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request = request
        self._until = until
        self._transport: Any = None
        self._buffer = b""
        self._sent_at = 0.0
        self.answers: Counter[int] = Counter()
        self.latencies: list[float] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark or len(rest) < _length(head):
            return
        self._buffer = b""
        self.answers[int(head[9:12])] += 1
        self.latencies.append(time.monotonic() - self._sent_at)
        if time.monotonic() < self._until:
            self._send()
        else:
            self._transport.close()

    def _send(self) -> None:
        self._sent_at = time.monotonic()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.partition(b"\r\n")[0])


async def run(order: dict[str, Any]) -> dict[str, Any]:
    request = request_bytes(order["path"], order["headers"], order["body"].encode())
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    opened = [
        loop.create_connection(
            lambda: Connection(request, began + order["seconds"]), "127.0.0.1", order["port"]
        )
        for _ in range(order["connections"])
    ]
    connections = [connection for _, connection in await asyncio.gather(*opened)]
    await asyncio.gather(*(connection.ended for connection in connections))
    answers: Counter[int] = Counter()
    for connection in connections:
        answers += connection.answers
    latencies = sorted(latency for connection in connections for latency in connection.latencies)
    return {
        "began": began,
        "ended": time.monotonic(),
        "answers": {str(status): count for status, count in answers.items()},
        "p50": latencies[len(latencies) // 2],
        "p95": latencies[int(len(latencies) * 0.95)],
    }


def main() -> None:
    sys.stdout.write(json.dumps(uvloop.run(run(json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
