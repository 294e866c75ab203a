"""Running something until a signal ends it."""

import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Runs(Protocol):
    """What runs until it is to stop.

    Attributes:
        serves: whether the start is over.
    """

    serves: bool

    async def run(self, stop: "asyncio.Event") -> None:
        """Runs until `stop` is set, and ends what it began."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end.

    Raises:
        KeyboardInterrupt: it was ended before, by a second signal.
    """
    import asyncio

    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def run_until_signal(what: Runs) -> None:
    """Runs until the first SIGINT or SIGTERM; a second one does not wait for requests in flight.

    While it starts there are none, so the first one ends it at once.
    """
    import asyncio

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
