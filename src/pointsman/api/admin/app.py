"""The administration as an ASGI application, with its OpenAPI document at `/v1/openapi.json`."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pointsman.api.admin import (
    consumers,
    credentials,
    master_key,
    oauth,
    objects,
    quotas,
    records,
    revisions,
)
from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Problem
from pointsman.api.admin.who import CHALLENGE
from pointsman.errors import PointsmanError, RefusedError, StateError

_PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": Problem.model_json_schema()}}
}

_ROUTERS = (consumers, credentials, master_key, oauth, objects, quotas, records, revisions)
_TITLES = {
    400: "Bad request",
    401: "Who is asking?",
    403: "Not allowed",
    404: "Not found",
    405: "No such method",
    409: "Conflict",
    412: "Changed since",
    422: "Not valid",
    503: "State is away",
}


def admin_app(instance: Administered, *, needs_token: bool) -> FastAPI:
    """The application.

    Args:
        instance: what is administered.
        needs_token: whether every request has to have a token.
    """
    app = FastAPI(
        title="Pointsman administration",
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=dict.fromkeys((400, 401, 403, 404, 409, 412, 422, 503), _PROBLEM),
    )
    app.state.instance = instance
    app.state.needs_token = needs_token
    for module in _ROUTERS:
        app.include_router(module.router, prefix="/v1")
    app.add_exception_handler(PointsmanError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _answer(status: int, detail: str, title: str = "") -> JSONResponse:
    body = Problem(title=title or _TITLES.get(status, "Error"), status=status, detail=detail)
    headers = {"www-authenticate": CHALLENGE} if status == 401 else {}
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PointsmanError)
    status = 503 if isinstance(error, StateError) else 400
    if isinstance(error, RefusedError):
        status = error.status
    detail = f"{error}: {error.hint}" if error.hint else str(error)
    return _answer(status, detail)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = _answer(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _answer(422, "; ".join(_sentence(item) for item in error.errors()))


def _sentence(item: dict[str, Any]) -> str:
    """What is wrong with a field; never its value, which may be a secret."""
    return f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
