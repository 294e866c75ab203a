"""Rules of VirtualNode."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import (
    NodeListener,
    OutlierDetection,
    ServiceDiscovery,
    VirtualNodeSpec,
    VirtualServiceBackend,
)
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import listeners, tls
from pointsman.resources.rules.common import (
    SPEC,
    address,
    aws_name,
    one_of,
    selector,
    unique,
)


def check(resource: Resource[VirtualNodeSpec]) -> Iterator[Problem]:
    """Listeners, discovery, backends and logs that fit together."""
    key, spec = resource.key, resource.spec
    yield from aws_name(key, spec.aws_name)
    if "." in key.name:
        message = f"the name {key.name} has a dot, which v1beta1 would read as name.namespace"
        yield Problem(codes.DOTTED_NODE_NAME, message, "", key, ("metadata", "name"))
    yield from selector(key, (*SPEC, "podSelector"), spec.pod_selector)
    yield from _listeners(key, spec)
    yield from _discovery(key, (*SPEC, "serviceDiscovery"), spec.service_discovery)
    yield from _backends(key, spec)
    yield from tls.defaults(key, (*SPEC, "backendDefaults"), spec.backend_defaults)
    yield from listeners.logging(key, (*SPEC, "logging"), spec.logging)


def _listeners(key: Key, spec: VirtualNodeSpec) -> Iterator[Problem]:
    if spec.listeners and spec.service_discovery is None:
        message = "spec.serviceDiscovery is missing; a node with listeners must be found somehow"
        hint = "serviceDiscovery: {dns: {hostname: NAME.NAMESPACE.svc.cluster.local}}"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, (*SPEC, "listeners"))
    ports = (listener.port_mapping.port for listener in spec.listeners)
    yield from unique(key, (*SPEC, "listeners"), ("portMapping", "port"), ports, "port")
    for index, listener in enumerate(spec.listeners):
        yield from _listener(key, (*SPEC, "listeners", index), listener)


def _listener(key: Key, path: FieldPath, listener: NodeListener) -> Iterator[Problem]:
    mapping, pool, timeout = listener.port_mapping, listener.connection_pool, listener.timeout
    protocol = mapping.protocol
    check = listener.health_check
    yield from listeners.health_check(key, (*path, "healthCheck"), check, mapping.port)
    if pool is not None:
        values = {"tcp": pool.tcp, "http": pool.http, "http2": pool.http2, "grpc": pool.grpc}
        yield from listeners.by_protocol(key, (*path, "connectionPool"), values, protocol)
    if timeout is not None:
        times = {
            "tcp": timeout.tcp,
            "http": timeout.http,
            "http2": timeout.http2,
            "grpc": timeout.grpc,
        }
        yield from listeners.by_protocol(key, (*path, "timeout"), times, protocol)
    yield from _outliers(key, (*path, "outlierDetection"), listener.outlier_detection)
    yield from tls.listener(key, (*path, "tls"), listener.tls)


def _outliers(key: Key, path: FieldPath, outliers: OutlierDetection | None) -> Iterator[Problem]:
    if outliers is None:
        return
    times = {"interval": outliers.interval, "baseEjectionDuration": outliers.base_ejection_duration}
    for name, duration in times.items():
        if duration.ms == 0:
            message = f"{show_path(path)}.{name} is 0; Envoy needs more"
            yield Problem(codes.OUT_OF_RANGE, message, "", key, (*path, name, "value"))


def _discovery(key: Key, path: FieldPath, discovery: ServiceDiscovery | None) -> Iterator[Problem]:
    if discovery is None:
        return
    ways = {"dns": discovery.dns, "awsCloudMap": discovery.aws_cloud_map}
    yield from one_of(key, path, ways)
    if discovery.dns is not None:
        yield from address(key, (*path, "dns", "hostname"), discovery.dns.hostname)


def _backends(key: Key, spec: VirtualNodeSpec) -> Iterator[Problem]:
    path: FieldPath = (*SPEC, "backends")
    services = [backend.virtual_service for backend in spec.backends]
    for index, service in enumerate(services):
        where: FieldPath = (*path, index, "virtualService")
        names = {
            "virtualServiceRef": service.virtual_service_ref,
            "virtualServiceARN": service.virtual_service_arn,
        }
        yield from one_of(key, where, names)
        yield from tls.client(key, (*where, "clientPolicy"), service.client_policy)
    called = (_called(service, key.namespace) for service in services)
    yield from unique(key, path, ("virtualService",), called, "service")


def _called(service: VirtualServiceBackend, home: str) -> str | None:
    reference = service.virtual_service_ref
    if reference is None:
        return service.virtual_service_arn
    return f"{reference.namespace or home}/{reference.name}"
