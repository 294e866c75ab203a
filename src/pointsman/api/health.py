"""Whether this process lives, and whether it is ready, for those who start and balance it.

`GET /live` is answered 200 as long as the process answers at all. `GET /ready` is answered 200, or
503 and the reason in a line of text: before the start is over, and from the moment it is to end.
"""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

Unready = Callable[[], Awaitable[str]]
"""Why the process is not ready; "" when it is."""


def health_app(unready: Unready) -> ASGIApp:
    """What answers questions for health.

    Args:
        unready: see `Unready`.
    """

    async def live(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("live\n")

    async def ready(_request: Request) -> PlainTextResponse:
        reason = await unready()
        return PlainTextResponse(f"{reason or 'ready'}\n", 503 if reason else 200)

    return Starlette(routes=[Route("/live", live), Route("/ready", ready)])
