"""The registry over HTTP: applications register, keep alive and remove their instances.

    GET    /v1/registry                                                     sources and their state
    GET    /v1/registry/namespaces/NS/services/SERVICE                      instances in force
    GET    /v1/registry/namespaces/NS/services/SERVICE/instances/ID         a registration
    PUT    /v1/registry/namespaces/NS/services/SERVICE/instances/ID         registers it
    PUT    /v1/registry/namespaces/NS/services/SERVICE/heartbeats/ID        renews it
    DELETE /v1/registry/namespaces/NS/services/SERVICE/instances/ID

Who may do so is decided by who may open the socket these routes are mounted on.
"""

from typing import Annotated, Any

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pointsman.registry.document import InstanceBody, error_message
from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.leases import Lease, Leases
from pointsman.registry.registry import Registry, SourceState

_ROOT = "/v1/registry"
_SERVICE = f"{_ROOT}/namespaces/{{namespace}}/services/{{service}}"
_INSTANCE = f"{_SERVICE}/instances/{{id:path}}"
_HEARTBEAT = f"{_SERVICE}/heartbeats/{{id:path}}"
_MOST_BYTES = 65_536


class Registration(InstanceBody):
    """What is registered.

    Attributes:
        ttl: seconds after which an instance that sends no heartbeat counts as unhealthy; None
            wants no heartbeats.
    """

    ttl: Annotated[float, Field(gt=0, le=86_400)] | None = None


def registry_routes(registry: Registry, leases: Leases) -> list[BaseRoute]:
    """Routes to be mounted on an instance's socket.

    Args:
        registry: what is in force.
        leases: takes registrations.
    """
    handlers = _Handlers(registry, leases)
    return [
        Route(_ROOT, handlers.sources, methods=["GET"]),
        Route(_SERVICE, handlers.service, methods=["GET"]),
        Route(_INSTANCE, handlers.get, methods=["GET"]),
        Route(_INSTANCE, handlers.put, methods=["PUT"]),
        Route(_INSTANCE, handlers.delete, methods=["DELETE"]),
        Route(_HEARTBEAT, handlers.heartbeat, methods=["PUT"]),
    ]


class _Handlers:
    def __init__(self, registry: Registry, leases: Leases) -> None:
        self._registry = registry
        self._leases = leases

    async def sources(self, _request: Request) -> Response:
        return JSONResponse({"sources": [_source(state) for state in self._registry.states()]})

    async def service(self, request: Request) -> Response:
        service, _ = _names(request)
        instances = [_instance(item) for item in self._registry.instances(service)]
        return JSONResponse({"known": self._registry.knows(service), "instances": instances})

    async def get(self, request: Request) -> Response:
        service, identity = _names(request)
        lease = self._leases.of(service).get(identity)
        return _absent(service, identity) if lease is None else JSONResponse(_lease(lease))

    async def put(self, request: Request) -> Response:
        service, identity = _names(request)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                return _refused(413, f"more than {_MOST_BYTES} bytes")
        try:
            wanted = Registration.model_validate_json(bytes(body))
        except ValidationError as error:
            return _refused(400, error_message(error))
        instance = wanted.instance(service, identity)
        if instance.ipv4 is None and instance.ipv6 is None:
            return _refused(400, "address: an instance without an address cannot be reached")
        fresh = self._leases.register(instance, wanted.ttl)
        return JSONResponse(_lease(self._leases.of(service)[identity]), 201 if fresh else 200)

    async def heartbeat(self, request: Request) -> Response:
        service, identity = _names(request)
        if self._leases.beat(service, identity):
            return Response(status_code=204)
        return _absent(service, identity)

    async def delete(self, request: Request) -> Response:
        service, identity = _names(request)
        if self._leases.remove(service, identity):
            return Response(status_code=204)
        return _absent(service, identity)


def _names(request: Request) -> tuple[ServiceName, str]:
    given = request.path_params
    return ServiceName(given["namespace"], given["service"]), given.get("id", "")


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def _absent(service: ServiceName, identity: str) -> Response:
    return _refused(404, f"instance {identity} of {service} is not registered here: register it")


def _instance(item: Instance) -> dict[str, Any]:
    return {"id": item.id, "healthy": item.healthy, "attributes": dict(item.attributes)}


def _lease(lease: Lease) -> dict[str, Any]:
    return {**_instance(lease.instance), "ttl": lease.ttl}


def _source(state: SourceState) -> dict[str, Any]:
    return {
        "name": state.name,
        "instances": state.instances,
        "heardAt": state.heard_at,
        "failures": [
            {
                "service": str(failure.service) if failure.service else None,
                "message": failure.message,
                "heardAt": failure.heard_at,
            }
            for failure in state.failures
        ],
    }
