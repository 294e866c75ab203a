"""The diagnosis of a running instance over HTTP, for those who may open its socket.

    GET /v1/doctor?over=SECONDS&symptom=misroute|slow|down

The answer has `diagnosis` with `findings` for machines and `told` for people, as lines of pieces
of a text and its role.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from pointsman.observe.told import Told

PATH = "/v1/doctor"
OVER_S = 600.0
Diagnose = Callable[[float, str | None], Awaitable[Told]]
"""What is found by what was seen in some seconds, as the cause of a symptom or of any.

Raises ValueError for a symptom that is none.
"""


def doctor_routes(diagnose: Diagnose) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket."""

    async def answer(request: Request) -> JSONResponse:
        query = request.query_params
        try:
            over = float(query.get("over", OVER_S))
            if not 0 < over < float("inf"):
                raise ValueError("over is a number of seconds above 0")
            told = await diagnose(over, query.get("symptom"))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"diagnosis": told.known, "told": told.lines})

    return [Route(PATH, answer, methods=["GET"])]
