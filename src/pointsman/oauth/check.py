"""Envoy's authorization protocol in front of authorization servers.

Proxies hand over a request as a question whether it may pass, and every answer is a refusal with
status, headers and body; see `envoy.filters.oauth`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pointsman.envoy import pb
from pointsman.envoy.filters.oauth import SERVER
from pointsman.oauth.ask import Answer, Ask

_DENIED: Final = 7
"""`PERMISSION_DENIED` of `google.rpc.Status`: the request goes no further than this answer."""


async def check(answer: Callable[[str, Ask], Awaitable[Answer]], attributes: Any) -> Any:
    """What a proxy is told about a request.

    Args:
        answer: answers for the authorization server of a path.
        attributes: `AttributeContext` of the request.
    """
    http = attributes.request.http
    path, _, query = http.path.partition("?")
    ask = Ask(
        method=http.method,
        path=path,
        query=query,
        headers=dict(http.headers),
        body=http.raw_body or http.body.encode(),
        address=attributes.source.address.socket_address.address,
    )
    return _response(await answer(attributes.context_extensions[SERVER], ask))


def _response(answer: Answer) -> Any:
    headers = [
        {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in answer.headers
    ]
    denied = {"status": {"code": answer.status}, "headers": headers, "body": answer.body}
    return pb.CheckResponse(status={"code": _DENIED}, denied_response=denied)
