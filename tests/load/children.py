"""Programs of the measurements' own: a question in JSON, an answer in JSON, and no longer than they may."""

import asyncio
import json
import sys
from typing import Any


async def asked(module: str, question: dict[str, Any], *, within: float) -> dict[str, Any]:
    """What `python -m module` answers; it does not outlive this call. Raises TimeoutError."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(within):
            answer, _ = await child.communicate(json.dumps(question).encode())
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise RuntimeError(f"{module} ended with {child.returncode}")
    told: dict[str, Any] = json.loads(answer)
    return told
