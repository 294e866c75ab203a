"""What a running instance answers: HTTP on a Unix socket that only its user can open.

The status is read-only. Other routes are mounted by those who own what is behind them; those that
change something need no other authority than the folder of mode 0700.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from pointsman.api.background import Background
from pointsman.api.instances import socket_path
from pointsman.errors import UsageError
from pointsman.observe.status import Status, status_json


class StatusServer:
    """Answers `GET /v1/status`; use it as a context manager.

    Args:
        folder: folder of the socket `PID.sock`; made with mode 0700.
        status: gives what to answer.
        routes: answered beside it.
    """

    def __init__(
        self, folder: Path, status: Callable[[], Status], routes: Sequence[BaseRoute] = ()
    ) -> None:
        self._socket = socket_path(folder, os.getpid())
        self._status = status
        application = Starlette(routes=[Route("/v1/status", self._answer), *routes])
        self._http = Background(application, uds=str(self._socket))

    async def _answer(self, _request: Request) -> JSONResponse:
        return JSONResponse(status_json(self._status()))

    async def __aenter__(self) -> Self:
        """Starts to answer.

        Raises:
            UsageError: the socket cannot be made.
        """
        try:
            _make_private(self._socket.parent)
            await self._http.start()
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(
                f"cannot make the socket for pointsman status, {self._socket}: {reason}",
                hint="set XDG_RUNTIME_DIR to a folder of yours with a short path",
            ) from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.stop()
        self._socket.unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Below /tmp anybody may have been here first: with a folder, or with a link to one of ours.
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link", hint="remove it, or set XDG_RUNTIME_DIR")
    if folder.stat().st_uid != os.getuid():
        raise UsageError(f"{folder} belongs to another user")
    folder.chmod(0o700)
