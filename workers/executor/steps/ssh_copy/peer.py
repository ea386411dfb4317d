"""The other side of a copy: the shell text that knows the files, and SFTP where the host has it."""

from collections.abc import AsyncIterator
from typing import Self, cast

import asyncssh

from contracts.causes import CAUSES
from contracts.jobs.steps import SudoAs
from workers.executor.steps.base import StepFault
from workers.executor.steps.ssh_copy.text import COPY
from workers.executor.steps.ssh_exec.channel import ChannelClosed
from workers.executor.steps.ssh_exec.connections import Lease
from workers.executor.steps.ssh_exec.elevation import open_wire
from workers.executor.steps.ssh_exec.faults import fault
from workers.executor.steps.ssh_exec.links import Sftp
from workers.executor.steps.ssh_exec.marks import Mark
from workers.executor.steps.ssh_exec.wire import Wire

PIECE = 4 * 1024 * 1024
"""Bytes under way at once: enough to fill a long line, little enough to hold for many copies."""
ANSWER_SECONDS = 60.0
HASH_SECONDS = 3600.0
"""For work whose length depends on the file: hashing, packing, unpacking, pulling."""


_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError)


class Peer:
    """One channel to the shell text, and one to SFTP while bytes move.

    Raises `StepFault` for what the target says, `ChannelClosed` and `TimeoutError` when it says nothing.
    """

    def __init__(self, lease: Lease, wire: Wire, *, sftp: bool) -> None:
        self._lease = lease
        self._wire = wire
        self._sftp_wanted = sftp

    @classmethod
    async def open(cls, lease: Lease, sudo: SudoAs | None, *, spare: bool = False) -> Self:
        """Under sudo the bytes go over the shell's channel: SFTP has the account's own rights only."""
        wire = await open_wire(lease, COPY, sudo, spare=spare)
        wire.send(wire.nonce)
        return cls(lease, wire, sftp=sudo is None)

    def close(self) -> None:
        self._wire.close()

    async def ask(self, *lines: str, body: bytes = b"", within: float = ANSWER_SECONDS) -> Mark:
        """Give an order and take its answer."""
        self._wire.send(*lines, body=body)
        return await self.answer(within=within)

    async def answer(self, *, within: float = ANSWER_SECONDS) -> Mark:
        mark = await self._wire.mark(within=within)
        if mark.words[0] == "fault":
            code = mark.words[1] if mark.words[1] in CAUSES else "copy_failed"
            raise self.fault(code, mark.text.partition(f"fault {mark.words[1]}")[2].strip())
        return mark

    def fault(self, code: str, detail: object) -> StepFault:
        return fault(code, self._lease.target, self._lease.credential, detail)

    async def sftp(self) -> Sftp | None:
        """None where the host has no SFTP, or the bytes must not go that way."""
        return await self._lease.open_sftp() if self._sftp_wanted else None

    async def write(self, place: str, start: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[int]:
        """Append the pieces to the half-written file from byte `start` on; tells how far it is."""
        sftp = await self.sftp()
        writing = (
            self._write_stream(start, pieces) if sftp is None else self._write(sftp, place, start, pieces)
        )
        async for done in writing:
            yield done

    async def _write(
        self, sftp: Sftp, place: str, start: int, pieces: AsyncIterator[bytes]
    ) -> AsyncIterator[int]:
        try:
            async with sftp, sftp.client.open(place, asyncssh.FXF_WRITE, encoding=None) as file:
                async for piece in pieces:
                    await file.write(piece, start)
                    start += len(piece)
                    yield start
        except _LOST as error:
            raise ChannelClosed(str(error)) from error
        except asyncssh.SFTPError as error:
            raise self._sftp_fault(error) from error

    async def _write_stream(self, start: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[int]:
        async for piece in pieces:
            await self.ask(f"take {len(piece)}", body=piece, within=HASH_SECONDS)
            start += len(piece)
            yield start

    async def read(self, place: str, start: int, size: int) -> AsyncIterator[bytes]:
        """The bytes of the file from `start` up to `size`."""
        sftp = await self.sftp()
        reading = self._read_stream(start, size) if sftp is None else self._read(sftp, place, start, size)
        async for piece in reading:
            yield piece

    async def _read(self, sftp: Sftp, place: str, start: int, size: int) -> AsyncIterator[bytes]:
        try:
            async with sftp, sftp.client.open(place, asyncssh.FXF_READ, encoding=None) as file:
                while start < size:
                    piece = cast("bytes", await file.read(min(PIECE, size - start), start))
                    if not piece:
                        raise self.fault("hash_mismatch", "the file became shorter while it was read")
                    start += len(piece)
                    yield piece
        except _LOST as error:
            raise ChannelClosed(str(error)) from error
        except asyncssh.SFTPError as error:
            raise self._sftp_fault(error) from error

    async def _read_stream(self, start: int, size: int) -> AsyncIterator[bytes]:
        self._wire.send(f"send {start} {size - start}")
        left = size - start
        while True:
            stream, found = await self._wire.next()
            if isinstance(found, Mark):
                break
            if stream == "stdout":
                left -= len(found)
                yield found
        if left:
            raise self.fault("hash_mismatch", "the file became shorter while it was read")

    def _sftp_fault(self, error: asyncssh.SFTPError) -> StepFault:
        match error:
            case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
                return self.fault("disk_full", error.reason)
            case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
                return self.fault("path_denied", error.reason)
            case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
                return self.fault("path_missing", error.reason)
            case _:
                # OpenSSH says no more than "Failure" when a disk is full.
                return self.fault("copy_failed", error.reason)
