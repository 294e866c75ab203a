"""Sealed resources for tests: everything listens on, and connects to, Unix sockets."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401 (for bad_cluster)
from google.protobuf import json_format

from pointsman.envoy import pb
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.resources.key import Key
from pointsman.xds.snapshot import Snapshot

_ADS = {"ads": {}, "resource_api_version": "V3"}
_EXTENSIONS = "type.googleapis.com/envoy.extensions.filters."


def snapshot(*resources: Sealed) -> Snapshot:
    """A snapshot of the given resources."""
    by_type: dict[str, dict[str, Sealed]] = {}
    for sealed in resources:
        by_type.setdefault(sealed.type_url, {})[sealed.name] = sealed
    return Snapshot(by_type)


def cluster(name: str, *, connect_timeout: str = "1s", **fields: Any) -> Sealed:
    """A cluster whose endpoints come by ADS under its own name."""
    return _seal(
        pb.Cluster(),
        name,
        {
            "name": name,
            "type": "EDS",
            "eds_cluster_config": {"eds_config": _ADS},
            "connect_timeout": connect_timeout,
            **fields,
        },
    )


def bad_cluster(name: str) -> Sealed:
    """A cluster Envoy rejects when it is built: its certificate file does not exist."""
    tls = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    missing = {"trusted_ca": {"filename": "/nonexistent/ca.pem"}}
    context = {"@type": tls, "common_tls_context": {"validation_context": missing}}
    return cluster(name, transport_socket={"name": "tls", "typed_config": context})


def endpoints(cluster_name: str, *sockets: Path) -> Sealed:
    """Endpoints of a cluster."""
    hosts = [{"endpoint": {"address": {"pipe": {"path": str(s)}}}} for s in sockets]
    return _seal(
        pb.ClusterLoadAssignment(),
        cluster_name,
        {"cluster_name": cluster_name, "endpoints": [{"lb_endpoints": hosts}]},
    )


def listener(name: str, socket: Path, route: str | None = None, body: str = "") -> Sealed:
    """A listener that gets its routes by name, or answers `body` itself."""
    manager: dict[str, Any] = {
        "@type": _EXTENSIONS + "network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "http_filters": [
            {"name": "router", "typed_config": {"@type": _EXTENSIONS + "http.router.v3.Router"}}
        ],
    }
    if route is None:
        host = {"name": "all", "domains": ["*"], "routes": [_answering("/", body)]}
        manager["route_config"] = {"name": name, "virtual_hosts": [host]}
    else:
        manager["rds"] = {"config_source": _ADS, "route_config_name": route}
    filters = [{"name": "http", "typed_config": manager}]
    fields = {"address": {"pipe": {"path": str(socket)}}, "filter_chains": [{"filters": filters}]}
    return _seal(pb.Listener(), name, {"name": name, **fields})


def route(name: str, prefixes: Mapping[str, str]) -> Sealed:
    """A route configuration with one host that sends each prefix to a cluster."""
    host = {"name": name, "domains": ["*"], "routes": [_to(p, c) for p, c in prefixes.items()]}
    return _seal(pb.RouteConfiguration(), name, {"name": name, "virtual_hosts": [host]})


def hosted_route(name: str) -> Sealed:
    """A route configuration whose virtual hosts come one by one."""
    return _seal(pb.RouteConfiguration(), name, {"name": name, "vhds": {"config_source": _ADS}})


def virtual_host(route_name: str, domain: str, cluster_name: str) -> Sealed:
    """A virtual host that sends everything to one cluster."""
    name = f"{route_name}/{domain}"
    return _seal(
        pb.VirtualHost(),
        name,
        {"name": name, "domains": [domain], "routes": [_to("/", cluster_name)]},
    )


def bad_virtual_host(route_name: str, domain: str) -> Sealed:
    """A virtual host Envoy rejects: its regular expression does not compile."""
    name = f"{route_name}/{domain}"
    bad = {"match": {"safe_regex": {"regex": "(("}}, "direct_response": {"status": 200}}
    return _seal(pb.VirtualHost(), name, {"name": name, "domains": [domain], "routes": [bad]})


def _to(prefix: str, cluster_name: str) -> dict[str, Any]:
    return {"match": {"prefix": prefix}, "route": {"cluster": cluster_name}}


def _answering(prefix: str, body: str) -> dict[str, Any]:
    answer = {"status": 200, "body": {"inline_string": body}}
    return {"match": {"prefix": prefix}, "direct_response": answer}


def _seal(message: Any, name: str, fields: dict[str, Any]) -> Sealed:
    json_format.ParseDict(fields, message)
    return seal(message, (Key("Test", "", name),))


def names(resources: Iterable[Sealed]) -> list[str]:
    """Names of resources, sorted."""
    return sorted(sealed.name for sealed in resources)
