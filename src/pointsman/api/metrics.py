"""`GET /metrics` for Prometheus."""

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pointsman.telemetry.exposition import CONTENT_TYPE


def metrics_app(exposition: Callable[[float], str]) -> ASGIApp:
    """What answers Prometheus.

    Args:
        exposition: everything at a moment, in Prometheus' text format.
    """

    async def answer(_request: Request) -> Response:
        return Response(exposition(time.time()), headers={"content-type": CONTENT_TYPE})

    return Starlette(routes=[Route("/metrics", answer)])
