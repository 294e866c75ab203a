"""Waiting for conditions, never for time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    condition: Callable[[], T | Awaitable[T]], seconds: float = 10.0, what: str = ""
) -> T:
    """The first truthy value of `condition`; AssertionError with the last one after `seconds`."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + seconds
    while True:
        found = condition()
        value: T = await found if inspect.isawaitable(found) else found
        if value:
            return value
        assert loop.time() < limit, f"{what or condition} was {value!r} for {seconds} s"
        await asyncio.sleep(0.01)
