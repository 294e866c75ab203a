"""An HTTP application that is served beside something more important."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

_POLL_S: Final = 0.01
_FINISH_S: Final = 2.0
"""Seconds that requests get at the end; who reads no answer must not hold up everything else."""


class Background:
    """Serves an application in the background.

    Args:
        application: what answers.
        where: `uds` or `fd` as uvicorn takes it.
    """

    def __init__(self, application: ASGIApp, **where: Any) -> None:
        config = uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, **where
        )
        logging.getLogger("uvicorn.error").addFilter(_is_fault)
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once it answers.

        Raises:
            OSError: its socket cannot be made.
        """
        task = asyncio.create_task(self._server.serve(), name="http")
        while not self._server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        if task.done():
            task.result()
        self._task = task

    async def stop(self) -> None:
        """Ends it after the requests it is answering, unless they take long; harmless when it never
        started.
        """
        self._server.should_exit = True
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=_FINISH_S)
        state = self._server.server_state
        for connection in tuple(state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        for answering in tuple(state.tasks):
            answering.cancel()
        await self._task


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether a record tells of something that went wrong; an answer that is broken off did not."""
    return not record.exc_info or not isinstance(record.exc_info[1], asyncio.CancelledError)


class _Server(uvicorn.Server):
    """Leaves signals to the command that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
