"""One client's stream: sends what its topics have, says when it lags, and ends when it should."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import structlog
from prometheus_client import Gauge
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contracts.access.roles import Permission, allows
from contracts.errors import OpsError, Unauthenticated
from gateway.deps import GatewayDeps
from gateway.live.board import Watcher
from gateway.live.frames import COMMENT, START, Cursor, Frame, encode, event_id, json, parse_event_id
from gateway.live.hub import Channel
from gateway.live.reading import stream_epoch
from gateway.live.rooms import Room, RoomWatcher
from gateway.principals import Principal
from infra.outages import is_outage
from infra.tokens import LEEWAY_SECONDS, AccessClaims

COMMENT_SECONDS = 15.0
CHECK_SECONDS = 3.0
SEND_SECONDS = 30.0

CLIENTS = Gauge("ops_sse_clients", "Open event streams.")

log = structlog.get_logger()


class TooSlow(Exception):
    """The client does not read; it is dropped and comes back with its last event id."""


@dataclass(slots=True)
class _Topic:
    channel: Channel
    cursor: Cursor
    run_id: UUID
    told_delay: bool = False
    finished: bool = False


class EventStream(Response):
    """An ASGI response that follows runs; with `runs` also all others, with `rooms` what surrounds them.

    The topics are looked up before the first byte, so that an unknown run is still an ordinary 404.
    """

    def __init__(
        self,
        deps: GatewayDeps,
        principal: Principal,
        *,
        run_ids: Sequence[UUID],
        runs: bool,
        rooms: Sequence[Room] = (),
        last_event_id: str | None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(
            {
                "content-type": "text/event-stream; charset=utf-8",
                "cache-control": "no-store",
                "x-accel-buffering": "no",
            }
        )
        self._deps = deps
        self._principal = principal
        self._run_ids = run_ids
        self._last_event_id = last_event_id
        self._bell = asyncio.Event()
        self._watcher = Watcher(principal.project_id, self._bell) if runs else None
        self._rooms = RoomWatcher(rooms, self._bell) if rooms else None
        self._topics: list[_Topic] = []
        self._epoch = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._epoch = await stream_epoch(self._deps.sessions)
        start = parse_event_id(self._last_event_id, self._epoch)
        async with AsyncExitStack() as stack:
            for run_id in self._run_ids:
                channel = await stack.enter_async_context(
                    self._deps.hub.follow(run_id, self._principal.project_id, start or START, self._bell)
                )
                self._topics.append(_Topic(channel, start or START, run_id))
            if self._watcher is not None:
                self._deps.hub.board.join(self._watcher)
                stack.callback(self._deps.hub.board.leave, self._watcher)
            if self._rooms is not None:
                self._deps.hub.rooms.join(self._rooms)
                stack.callback(self._deps.hub.rooms.leave, self._rooms)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with CLIENTS.track_inprogress():
                await self._until_gone(receive, send, reset=start is None)

    async def _until_gone(self, receive: Receive, send: Send, *, reset: bool) -> None:
        sending = asyncio.create_task(self._send_all(send, reset=reset), name="stream-send")
        helpers = [
            asyncio.create_task(_disconnected(receive), name="stream-gone"),
            asyncio.create_task(self._session_ended(), name="stream-session"),
            asyncio.create_task(self._deps.hub.closing.wait(), name="stream-closing"),
        ]
        try:
            await asyncio.wait([sending, *helpers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, *helpers):
                task.cancel()
            [outcome, *_] = await asyncio.gather(sending, *helpers, return_exceptions=True)
        if isinstance(outcome, TooSlow):
            log.info("stream.dropped", reason="the client does not read")
            raise outcome
        if isinstance(outcome, Exception):
            raise outcome
        if helpers[0].cancelled():
            await send({"type": "http.response.body", "body": b""})

    async def _session_ended(self) -> None:
        """Return when the caller may no longer look: token expired, session revoked, role taken away."""
        claims = AccessClaims(
            self._principal.user_id,
            self._principal.name,
            self._principal.role,
            self._principal.token_version,
            self._principal.expires_at,
        )
        while time.time() < claims.expires_at + LEEWAY_SECONDS:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                now = await self._deps.principals.check(claims)
            except Unauthenticated:
                return
            except Exception as error:
                if not is_outage(error) and not isinstance(error, OpsError):
                    raise
                continue
            if not allows(now.role, Permission.RUNS_READ):
                return

    async def _send_all(self, send: Send, *, reset: bool) -> None:
        out = _Out(send)
        if reset:
            await out.write(encode("reset", b"{}", id=event_id(self._epoch, START)))
        else:
            await out.write(COMMENT)
        while True:
            self._bell.clear()
            sent = [await self._send_topic(out, topic) for topic in self._topics if not topic.finished]
            sent += [await self._send_board(out), await self._send_rooms(out)]
            if (
                self._watcher is None
                and self._rooms is None
                and all(topic.finished for topic in self._topics)
            ):
                return
            if not any(sent):
                await self._rung(out)

    async def _rung(self, out: "_Out") -> None:
        try:
            async with asyncio.timeout(COMMENT_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            await out.write(COMMENT)

    async def _send_topic(self, out: "_Out", topic: _Topic) -> bool:
        """Send what is there; whether anything was."""
        frames = topic.channel.after(topic.cursor)
        if frames is None:
            frames = await topic.channel.reader.page(topic.cursor)
        for frame in frames:
            await self._send_frame(out, topic, frame)
        if not frames:
            await self._send_state(out, topic)
        return bool(frames)

    async def _send_frame(self, out: "_Out", topic: _Topic, frame: Frame) -> None:
        topic.cursor, topic.told_delay = frame.cursor, False
        if not frame.ends:  # the end of the run is told last, whatever its place among the rows
            await out.write(encode(frame.event, frame.data, id=self._id()))

    async def _send_state(self, out: "_Out", topic: _Topic) -> None:
        if state := topic.channel.finished(topic.cursor):
            topic.finished = True
            reason = {"reason": state.reason} if state.reason else {}
            data = json({"run_id": str(topic.run_id), "status": state.status, **reason})
            await out.write(encode("run", data, id=self._id()))
        elif topic.channel.delayed and not topic.told_delay:
            topic.told_delay = True
            await out.write(encode("delayed", json({"run_id": str(topic.run_id)})))

    def _id(self) -> str:
        """Of several runs the id of the one furthest behind: a client may see rows again, never miss one."""
        open_topics = [topic for topic in self._topics if not topic.finished] or self._topics
        return event_id(self._epoch, min(topic.cursor for topic in open_topics))

    async def _send_board(self, out: "_Out") -> bool:
        if self._watcher is None or not self._watcher.unsent:
            return False
        if self._watcher.too_slow:
            raise TooSlow
        unsent, self._watcher.unsent = self._watcher.unsent, {}
        for told in unsent.values():
            await out.write(encode("run", json(told)))
        return True

    async def _send_rooms(self, out: "_Out") -> bool:
        if self._rooms is None or not self._rooms.unsent:
            return False
        unsent, self._rooms.unsent = self._rooms.unsent, {}
        for room, picture in unsent.items():
            await out.write(encode(room, picture))
        return True


class _Out:
    """Writes to a client that has to read within 30 s."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError:
            raise TooSlow from None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
