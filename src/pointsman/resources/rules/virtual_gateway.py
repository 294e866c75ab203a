"""Rules of VirtualGateway."""

from collections.abc import Iterator

from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_gateway import GatewayListener, VirtualGatewaySpec
from pointsman.resources.origin import FieldPath
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import listeners, tls
from pointsman.resources.rules.common import SPEC, aws_name, selector, unique


def check(resource: Resource[VirtualGatewaySpec]) -> Iterator[Problem]:
    """Listeners that do not collide, with limits, TLS and logs that fit."""
    key, spec = resource.key, resource.spec
    yield from aws_name(key, spec.aws_name)
    yield from selector(key, (*SPEC, "namespaceSelector"), spec.namespace_selector)
    yield from selector(key, (*SPEC, "gatewayRouteSelector"), spec.gateway_route_selector)
    yield from selector(key, (*SPEC, "podSelector"), spec.pod_selector)
    ports = (listener.port_mapping.port for listener in spec.listeners)
    yield from unique(key, (*SPEC, "listeners"), ("portMapping", "port"), ports, "port")
    for index, listener in enumerate(spec.listeners):
        yield from _listener(key, (*SPEC, "listeners", index), listener)
    yield from tls.defaults(key, (*SPEC, "backendDefaults"), spec.backend_defaults)
    yield from listeners.logging(key, (*SPEC, "logging"), spec.logging)


def _listener(key: Key, path: FieldPath, listener: GatewayListener) -> Iterator[Problem]:
    mapping, pool = listener.port_mapping, listener.connection_pool
    check = listener.health_check
    yield from listeners.health_check(key, (*path, "healthCheck"), check, mapping.port)
    if pool is not None:
        values = {"http": pool.http, "http2": pool.http2, "grpc": pool.grpc}
        yield from listeners.by_protocol(key, (*path, "connectionPool"), values, mapping.protocol)
    yield from tls.listener(key, (*path, "tls"), listener.tls)
