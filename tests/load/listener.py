"""One listener to a run's stream, in a process of its own: it reads each event whole and decodes its output.

Reads one JSON object from stdin (port, path, headers) and prints what it got, once the run has ended there.
Times are of the machine's monotonic clock.
"""

import http.client
import json
import sys
import time
from typing import Any

import orjson


def listen(order: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", order["port"], timeout=30)
    connection.request("GET", order["path"], headers=order["headers"])
    answer = connection.getresponse()
    if answer.status != 200:
        return {"status": str(answer.status)}
    began, first, size, buffer, status = time.monotonic(), 0.0, 0, b"", ""
    while not status and (piece := answer.read1(1 << 20)):
        *events, buffer = (buffer + piece).split(b"\n\n")
        for event in events:
            kind, _, rest = event.partition(b"\n")
            if kind == b"event: output":
                first = first or time.monotonic()
                size += len(orjson.loads(rest.partition(b"\n")[0][6:])["data"])
            elif kind == b"event: run":
                told = orjson.loads(rest.partition(b"\n")[0][6:])["status"]
                status = told if told in {"succeeded", "failed", "partial", "cancelled", "unknown"} else ""
    return {"status": status, "began": began, "first": first, "ended": time.monotonic(), "bytes": size}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(listen(json.load(sys.stdin))))
