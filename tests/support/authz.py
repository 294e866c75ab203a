"""A server of Envoy's authorization protocol that does as the test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc import aio

from pointsman.envoy import pb
from tests.support.instrument import Messages

_SERVICE = "envoy.service.auth.v3.Authorization"


@dataclass(slots=True)
class Authz:
    """The server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        answer: its answer to a question.
        asked: questions it got, in order.
    """

    port: int
    answer: Callable[[Any], Any]
    asked: list[Any] = field(default_factory=list)


def allowed(**headers: str) -> Any:
    """Lets a request pass, with further headers."""
    options = [
        {"header": {"key": name.replace("_", "-"), "value": value}}
        for name, value in headers.items()
    ]
    return pb.CheckResponse(status={"code": 0}, ok_response={"headers": options})


def denied(status: int, body: str = "") -> Any:
    """Turns a request away."""
    return pb.CheckResponse(
        status={"code": 7}, denied_response={"status": {"code": status}, "body": body}
    )


@asynccontextmanager
async def authz(answer: Callable[[Any], Any]) -> AsyncIterator[Authz]:
    """Runs a server."""
    found = Authz(0, answer)

    async def check(request: Any, _context: Any) -> Any:
        found.asked.append(request)
        return found.answer(request)

    handler = grpc.unary_unary_rpc_method_handler(
        check,
        request_deserializer=pb.CheckRequest.FromString,
        response_serializer=pb.CheckResponse.SerializeToString,
    )
    server = aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE, {"Check": handler}),)
    )
    found.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield found
    finally:
        await server.stop(None)


def point_at(messages: Messages, cluster: str, port: int) -> None:
    """Gives a cluster that has no endpoint one on 127.0.0.1 that speaks gRPC."""
    (found,) = (item for item in messages.clusters if item.name == cluster)
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    found.load_assignment.cluster_name = cluster
    found.load_assignment.endpoints.add(lb_endpoints=[{"endpoint": {"address": address}}])
