"""The first two stages of every transport: the name and the port."""

import asyncio
import contextlib
import socket

from infra.blocking import BlockingPool
from workers.executor.steps.base import StepFault
from workers.executor.testing.journal import Journal

RESOLVE_SECONDS = 5.0
CONNECT_SECONDS = 3.0


async def resolve(journal: Journal, host: str, port: int, pool: BlockingPool) -> None:
    """The stage `dns`: every address of the host. An address needs no name server and passes at once."""
    async with journal.stage("dns") as note:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await pool.run(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            detail = f"no answer in {RESOLVE_SECONDS:g} s"
            raise StepFault("name_unresolved", host=host, port=port, detail=detail) from None
        except OSError as error:
            detail = error.strerror or str(error)
            raise StepFault("name_unresolved", host=host, port=port, detail=detail) from None
        journal.addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        note.detail = ", ".join(journal.addresses)


async def connect(journal: Journal, host: str, port: int, *, banner_seconds: float = 0.0) -> str:
    """The stage `tcp`: the first address that accepts; `banner_seconds` to hear what the port says itself."""
    async with journal.stage("tcp") as note:
        refusals: list[str] = []
        for address in journal.addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await asyncio.open_connection(address, port)
            except TimeoutError:
                refusals.append(f"{address}: no answer in {CONNECT_SECONDS:g} s")
                continue
            except OSError as error:
                refusals.append(f"{address}: {error.strerror or error}")
                continue
            try:
                if banner_seconds:
                    journal.banner = await _first_line(reader, banner_seconds)
            finally:
                writer.transport.abort()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            said = f", it says {journal.banner}" if journal.banner else ""
            note.detail = "; ".join([f"{address}:{port} answers{said}", *refusals])
            return address
        raise StepFault("unreachable", host=host, port=port, detail="; ".join(refusals) or "no address")


async def _first_line(reader: asyncio.StreamReader, seconds: float) -> str | None:
    try:
        async with asyncio.timeout(seconds):
            line = await reader.readline()
    except (TimeoutError, OSError, ValueError):
        return None
    return line[:200].decode("ascii", "replace").strip() or None
