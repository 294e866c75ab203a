"""Recorded requests over HTTP.

    GET /v1/requests                what is kept, one JSON object a line
    GET /v1/requests?follow=1       the same, and what comes from now on, until the reader leaves

Which are wanted stands in the query, see `telemetry.requests_wanted`.
"""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from pointsman.telemetry.requests import Request, request_json
from pointsman.telemetry.requests_ring import Ring
from pointsman.telemetry.requests_wanted import Wanted, parse_wanted


def request_routes(ring: Ring) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket."""

    async def requests(asked: HttpRequest) -> Response:
        try:
            wanted = parse_wanted(asked.query_params)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        follow = "follow" in asked.query_params
        lines = _following(ring, wanted) if follow else _kept(ring, wanted)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return [Route("/v1/requests", requests, methods=["GET"])]


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
