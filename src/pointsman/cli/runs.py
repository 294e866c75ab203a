"""Running something until a signal ends it."""

import asyncio
import signal
from typing import Protocol


class Runs(Protocol):
    """What runs until it is to stop.

    Attributes:
        serves: whether the start is over.
    """

    serves: bool

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, and ends what it began."""


async def run_until_signal(what: Runs) -> None:
    """Runs until the first SIGINT or SIGTERM; a second one does not wait for requests in flight.

    While it starts there are none, so the first one ends it at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(what.run(stop), name="run")

    def end() -> None:
        if stop.is_set() or not what.serves:
            running.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await running
