"""Tasks that are to run as long as the process does, whatever goes wrong in them.

A task that raises is silent: asyncio tells of it when somebody asks, and nobody asks a task that
never ends. What it kept up to date would stay as it is for good.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

PAUSE_S: Final = 1.0
"""Seconds before what failed is begun anew."""

log = structlog.get_logger(__name__)


async def endless(what: Callable[[], Awaitable[None]], name: str, pause_s: float = PAUSE_S) -> None:
    """Runs `what`, logs why it failed and begins it anew, until it is cancelled or returns.

    Args:
        what: begins it; called again after a failure.
        name: what it is, for the log.
        pause_s: see `PAUSE_S`.
    """
    while True:
        try:
            return await what()
        except Exception:
            log.exception("a fault of Pointsman itself; begun anew", task=name)
            await asyncio.sleep(pause_s)
