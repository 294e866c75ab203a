"""An application that is built when it is asked first: most instances never are."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class Later:
    """Builds an application for its first request.

    Args:
        build: builds it.
    """

    def __init__(self, build: Callable[[], ASGIApp]) -> None:
        self._build = build
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if self._app is None:
            self._app = self._build()
        await self._app(scope, receive, send)
