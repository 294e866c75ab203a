"""Recorded requests over HTTP.

    GET /v1/requests                what is kept, one JSON object a line
    GET /v1/requests?follow=1       the same, and what comes from now on, until the reader leaves
    GET /v1/requests/ID/why         what became of one: `why` for machines, `told` for people,
                                    as lines of pieces of a text and its role

Which are wanted stands in the query, see `telemetry.requests_wanted`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from pointsman.envoy.requests import FLUSH_S
from pointsman.observe.why import passages, why_json, why_lines
from pointsman.telemetry.requests import Request, request_json
from pointsman.telemetry.requests_history import History
from pointsman.telemetry.requests_ring import Ring
from pointsman.telemetry.requests_wanted import Wanted, parse_wanted

TOLD_S: Final = 1.5 * FLUSH_S
"""Seconds after which every proxy on a request's way has told of it."""


def request_routes(ring: Ring, history: History) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket.

    Args:
        ring: the latest requests.
        history: which configuration was active when.
    """

    async def requests(asked: HttpRequest) -> Response:
        try:
            wanted = parse_wanted(asked.query_params)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        follow = "follow" in asked.query_params
        lines = _following(ring, wanted) if follow else _kept(ring, wanted)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def why(asked: HttpRequest) -> Response:
        found = await _told(ring, asked.path_params["id"])
        if not found:
            return JSONResponse({"error": "this request is not kept"}, status_code=404)
        told = passages(found, history)
        return JSONResponse({"why": why_json(told), "told": list(why_lines(told))})

    return [
        Route("/v1/requests", requests, methods=["GET"]),
        Route("/v1/requests/{id}/why", why, methods=["GET"]),
    ]


async def _told(ring: Ring, request_id: str) -> tuple[Request, ...]:
    """What is kept of a request, once all proxies have had the time to tell of it."""
    with ring.looking_on() as coming, suppress(TimeoutError):
        async with asyncio.timeout(0 if ring.of(request_id) else TOLD_S):
            async for request in coming:
                if request.id == request_id:
                    break
    found = ring.of(request_id)
    ended = max((item.start + item.duration / 1000 for item in found), default=0.0)
    if ended:
        await asyncio.sleep(min(TOLD_S, max(0.0, ended + TOLD_S - time.time())))
    return ring.of(request_id)


async def _kept(ring: Ring, wanted: Wanted) -> AsyncIterator[str]:
    for request in sorted(ring, key=lambda item: item.start):
        if wanted.matches(request):
            yield _line(request)


async def _following(ring: Ring, wanted: Wanted) -> AsyncIterator[str]:
    with ring.looking_on() as coming:
        # An empty line tells that nothing will be missed from now on.
        yield "\n"
        async for line in _kept(ring, wanted):
            yield line
        async for request in coming:
            if wanted.matches(request):
                yield _line(request)


def _line(request: Request) -> str:
    return json.dumps(request_json(request), ensure_ascii=False) + "\n"
