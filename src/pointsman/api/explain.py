"""Decisions over HTTP: `POST /v1/explain` answers where a request would go.

The body is a question as `pointsman explain` asks it; the answer has `decision` for machines and
`told` for people, as lines of pieces of a text and its role.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from pointsman.errors import UsageError
from pointsman.observe.told import Told


def explain_routes(answer: Callable[[Any], Told]) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket.

    Args:
        answer: answers a question; raises UsageError or ValueError for what cannot be asked.
    """

    async def explain(asked: Request) -> JSONResponse:
        try:
            told = answer(await asked.json())
        except (UsageError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"decision": told.known, "told": told.lines})

    return [Route("/v1/explain", explain, methods=["POST"])]
