"""Waiting for conditions, never for time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def eventually(
    condition: Callable[[], Awaitable[object] | object], seconds: float = 10.0, what: str = ""
) -> None:
    """Wait until `condition` is true; AssertionError with its last value after `seconds`."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return
        assert loop.time() < limit, f"{what or condition} was {value!r} for {seconds} s"
        await asyncio.sleep(0.01)
