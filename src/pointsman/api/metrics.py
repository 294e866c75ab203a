"""`GET /metrics` for Prometheus."""

import asyncio
import time
from collections.abc import Callable, Iterable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pointsman.telemetry.exposition import CONTENT_TYPE, render
from pointsman.telemetry.family import Family


def metrics_app(families: Callable[[float], Iterable[Family]]) -> ASGIApp:
    """What answers Prometheus.

    Args:
        families: everything at a moment.
    """

    async def answer(_request: Request) -> Response:
        # A full window takes half a second to write; proxies are served meanwhile.
        text = await asyncio.to_thread(render, tuple(families(time.time())))
        return Response(text, headers={"content-type": CONTENT_TYPE})

    return Starlette(routes=[Route("/metrics", answer)])
