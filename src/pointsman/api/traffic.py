"""The traffic over HTTP, for those who may open the socket of the instance.

GET /v1/traffic?by=gateway|node|route|service|consumer&over=SECONDS    numbers
GET /v1/graph?over=SECONDS                                    who calls whom, with numbers
GET /v1/versions?over=SECONDS                                 versions of APIs, and their use
"""

import time
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from pointsman.observe.service_graph import ServiceGraph, graph_json
from pointsman.observe.traffic import WAYS, By, TrafficReport, traffic_json
from pointsman.observe.versions import VersionReport, report_json

PATH = "/v1/traffic"
GRAPH = "/v1/graph"
VERSIONS = "/v1/versions"
OVER_S = 60.0
_WAYS: Final[dict[str, By]] = {way: way for way in WAYS}
Report = Callable[[By, float, float], TrafficReport]
"""The traffic by something, of some seconds before a moment."""


def traffic_routes(
    report: Report,
    graph: Callable[[float, float], ServiceGraph],
    versions: Callable[[float, float], VersionReport],
) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket.

    Args:
        report: see `Report`.
        graph: who calls whom, with the numbers of some seconds before a moment.
        versions: versions of APIs and their use, likewise.
    """

    async def answer(request: Request) -> JSONResponse:
        by = _WAYS.get(request.query_params.get("by", "gateway"))
        over = _seconds(request.query_params.get("over"))
        if by is None or over is None:
            wrong = f"by is one of {', '.join(_WAYS)}, over a number of seconds above 0"
            return JSONResponse({"error": wrong}, 400)
        return JSONResponse(traffic_json(report(by, over, time.time())))

    async def answer_graph(request: Request) -> JSONResponse:
        over = _seconds(request.query_params.get("over"))
        return _wrong() if over is None else JSONResponse(graph_json(graph(over, time.time())))

    async def answer_versions(request: Request) -> JSONResponse:
        over = _seconds(request.query_params.get("over"))
        return _wrong() if over is None else JSONResponse(report_json(versions(over, time.time())))

    return [
        Route(PATH, answer, methods=["GET"]),
        Route(GRAPH, answer_graph, methods=["GET"]),
        Route(VERSIONS, answer_versions, methods=["GET"]),
    ]


def _wrong() -> JSONResponse:
    return JSONResponse({"error": "over is a number of seconds above 0"}, 400)


def _seconds(text: str | None) -> float | None:
    try:
        value = OVER_S if text is None else float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
