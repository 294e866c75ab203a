"""Rollouts over HTTP: how they are, what happened, and what somebody wants of them.

    GET   /v1/rollouts                                        all of them
    GET   /v1/rollouts/KIND/NAMESPACE/NAME/events?limit=N     what happened, the newest first
    POST  /v1/rollouts/KIND/NAMESPACE/NAME/COMMAND            pause, resume, promote, abort,
                                                              set-weight with {"weight": N}

Who may do so is decided by who may open the socket these routes are mounted on: it lies in a
folder of mode 0700, so whoever opens it could as well stop the instance.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pointsman.errors import StateError, UsageError
from pointsman.resources.key import Key
from pointsman.rollout.commands import Command
from pointsman.rollout.view import RolloutView, views_json

_ROOT: Final = "/v1/rollouts"
_ONE: Final = f"{_ROOT}/{{kind}}/{{namespace}}/{{name}}"
_MOST: Final = 1000


class RolloutDesk(Protocol):
    """Knows rollouts, and takes commands."""

    def views(self) -> list[RolloutView]:
        """How each is doing."""

    async def events(self, rollout: Key, limit: int) -> Sequence[Mapping[str, Any]]:
        """What happened to one, the newest first."""

    async def tell(self, rollout: Key, command: Command, weight: int) -> None:
        """Does what somebody wants."""


def rollout_routes(desk: RolloutDesk) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket."""
    handlers = _Handlers(desk)
    return [
        Route(_ROOT, handlers.all, methods=["GET"]),
        Route(f"{_ONE}/events", handlers.events, methods=["GET"]),
        Route(f"{_ONE}/{{command}}", handlers.command, methods=["POST"]),
    ]


class _Handlers:
    def __init__(self, desk: RolloutDesk) -> None:
        self._desk = desk

    async def all(self, _request: Request) -> Response:
        return JSONResponse(views_json(self._desk.views()))

    async def events(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "100")
        if not limit.isdecimal():
            return _wrong(400, "limit is a number")
        try:
            found = await self._desk.events(_key(request), min(int(limit), _MOST))
        except StateError as error:
            return _wrong(503, str(error))
        return JSONResponse({"items": list(found)})

    async def command(self, request: Request) -> Response:
        try:
            command = Command(request.path_params["command"])
        except ValueError:
            return _wrong(404, f"there is no command {request.path_params['command']}")
        weight = 0
        if command is Command.SET_WEIGHT:
            found = await _weight(request)
            if found is None:
                return _wrong(400, "weight is a whole number from 0 to 100")
            weight = found
        try:
            await self._desk.tell(_key(request), command, weight)
        except UsageError as error:
            return _wrong(409, str(error))
        return JSONResponse({})


async def _weight(request: Request) -> int | None:
    try:
        weight = (await request.json())["weight"]
    except (ValueError, KeyError, TypeError):
        return None
    return weight if isinstance(weight, int) and 0 <= weight <= 100 else None


def _key(request: Request) -> Key:
    found = request.path_params
    return Key(found["kind"], found["namespace"], found["name"])


def _wrong(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)
