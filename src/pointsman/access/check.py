"""Envoy's authorization protocol in front of what is known of opaque tokens."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc

from pointsman.access.introspection import Answer, Introspector
from pointsman.envoy import names, pb
from pointsman.envoy.filters.opaque import HEADER, METHOD
from pointsman.envoy.filters.tokens import PAYLOAD
from pointsman.graph.model.methods import OpaqueMethod
from pointsman.xds.admission import Admission
from pointsman.xds.callers import caller_of, refuse

_SERVICE: Final = "envoy.service.auth.v3.Authorization"
_BEARER: Final = "bearer "
_CHALLENGE: Final = 'Bearer realm="pointsman"'
_OK, _UNAUTHENTICATED, _UNAVAILABLE = 0, 16, 14
"""Codes of `google.rpc.Status`; Envoy looks at whether it is 0."""


Answers = Callable[[Any], Awaitable[Any]]
"""Answers `AttributeContext` with a `CheckResponse`."""


def check_handlers(
    introspector: Introspector, admission: Admission, others: Mapping[str, Answers] | None = None
) -> Any:
    """What a gRPC server takes to answer `envoy.service.auth.v3.Authorization`.

    Args:
        introspector: knows about tokens.
        admission: who may ask.
        others: who answers questions that are not about tokens, by what such a question tells
            beside the request.
    """
    answers = others or {}

    async def check(request: Any, context: Any) -> Any:
        refusal = admission.refusal(caller_of(context))
        if refusal is not None:
            await refuse(context, refusal)
        told = request.attributes.context_extensions
        for name, answer in answers.items():
            if name in told:
                return await answer(request.attributes)
        return await _answer(introspector, request.attributes)

    handler = grpc.unary_unary_rpc_method_handler(
        check,
        request_deserializer=pb.CheckRequest.FromString,
        response_serializer=pb.CheckResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Check": handler})


async def _answer(introspector: Introspector, attributes: Any) -> Any:
    told = attributes.context_extensions
    method = introspector.method(told.get(METHOD, ""))
    if method is None:
        # A proxy that has not yet heard of a change, or this server.
        return _away()
    header = told.get(HEADER, "")
    text = attributes.request.http.headers.get(header, "")
    token = _token(text, bearer=header == "authorization")
    if token is None:
        return _refused(_CHALLENGE, "no token")
    answer = await introspector.ask(method, token)
    if answer.active is None:
        return _away()
    if not answer.active:
        return _refused(f'{_CHALLENGE}, error="invalid_token"', "the token is not good, or is over")
    return _passed(method, header, answer)


def _token(text: str, *, bearer: bool) -> str | None:
    if not bearer:
        return text or None
    return text[len(_BEARER) :].strip() or None if text.lower().startswith(_BEARER) else None


def _passed(method: OpaqueMethod, header: str, answer: Answer) -> Any:
    claims = {**answer.claims}
    for name in ("scope", "scp"):
        if isinstance(claims.get(name), str):
            claims[name] = claims[name].split(" ")
    fields: dict[str, Any] = {"headers_to_remove": [] if method.keep else [header]}
    if method.consumer_claim is not None:
        value = str(answer.claims.get(method.consumer_claim, ""))
        subject = {"key": names.SUBJECT_HEADER, "value": value}
        fields["headers"] = [{"header": subject, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]
    response = pb.CheckResponse(status={"code": _OK}, ok_response=fields)
    response.dynamic_metadata.update({PAYLOAD: claims})
    return response


def _refused(challenge: str, detail: str) -> Any:
    headers = {"www-authenticate": challenge}
    return _denied(401, _UNAUTHENTICATED, "not-authenticated", "Not authenticated", detail, headers)


def _away() -> Any:
    detail = "tokens cannot be looked up"
    return _denied(503, _UNAVAILABLE, "not-known", "Not known", detail, {"retry-after": "1"})


def _denied(
    status: int, code: int, name: str, title: str, detail: str, headers: dict[str, str]
) -> Any:
    """A refusal with a body of RFC 9457."""
    kind = f"https://pointsman.dev/problems/{name}"
    body = json.dumps({"type": kind, "title": title, "status": status, "detail": detail})
    every = {**headers, "content-type": "application/problem+json"}
    options = [{"header": {"key": key, "value": value}} for key, value in every.items()]
    denied = {"status": {"code": status}, "headers": options, "body": body}
    return pb.CheckResponse(status={"code": code}, denied_response=denied)
