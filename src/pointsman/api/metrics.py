"""`GET /metrics` for Prometheus, and other pages of the same kind."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pointsman.telemetry.exposition import CONTENT_TYPE, render
from pointsman.telemetry.family import Family

Families = Callable[[float], Iterable[Family]]
"""Everything at a moment, in seconds since the epoch."""


def metrics_app(pages: Mapping[str, Families]) -> ASGIApp:
    """What answers Prometheus.

    Args:
        pages: what there is, by path.
    """
    return Starlette(routes=[Route(path, _page(families)) for path, families in pages.items()])


def _page(families: Families) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        # A full window takes half a second to write; proxies are served meanwhile.
        text = await asyncio.to_thread(render, tuple(families(time.time())))
        return Response(text, headers={"content-type": CONTENT_TYPE})

    return answer
