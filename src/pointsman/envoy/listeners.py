"""Listeners of a gateway and the internal ones behind them; chains that read HTTP."""

from collections.abc import Collection
from enum import Enum

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.clusters import socket_address
from pointsman.envoy.config_source import ADS
from pointsman.envoy.filters.hygiene import connection_filters, manager_fields, shedding_uses
from pointsman.envoy.filters.order import http_filters, replies
from pointsman.envoy.guards import Use
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.envoy.requests import http_logs
from pointsman.envoy.tls import is_permissive, secured, tls_inspector
from pointsman.envoy.traces import forged_headers, tracing
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway, Listener
from pointsman.graph.model.hygiene import Hygiene
from pointsman.graph.model.listener import PLAIN, Extras

HTTP_MANAGER = "envoy.filters.network.http_connection_manager"
OVERFLOW = ("UO",)
"""Response flag of a request that a connection pool refused."""

_NOBODY = {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": {"value": 32}}]}
"""Clients Envoy counts as internal, whose x-envoy-* headers steer timeouts and retries.

It takes an empty list for all private addresses, so the list holds one that nobody can have.
"""


def public_listener(
    gateway: Gateway,
    listener: Listener,
    node_class: NodeClass,
    routes: Fields,
    used: Collection[Use],
) -> pb.Message:
    """The listener clients connect to.

    Args:
        gateway: the gateway.
        listener: the listener.
        node_class: tells address and port to bind.
        routes: route specifier of the connection manager.
        used: what the routes need.
    """
    address = Address(node_class.bind, node_class.local_port(listener.port))
    pooled = listener.pool is not None
    chain = http_chain(
        names.stat_prefix(listener, len(gateway.listeners)),
        listener.protocol,
        routes,
        # Behind a pool the inner listener logs what passes; only refusals are logged here.
        http_logs(gateway, node_class, listener.port, OVERFLOW if pooled else ()),
        filters=http_filters(
            {*used, *shedding_uses(listener.hygiene)},
            listener.extras.compression,
            wire=node_class.wire,
        ),
        extras=listener.extras,
        hygiene=listener.hygiene,
        certificates=listener.tls is not None and listener.tls.trust is not None,
        used=used,
        traces=tracing(gateway),
        forged=forged_headers(gateway),
    )
    return pb.Listener(
        name=names.listener(listener),
        address=socket_address(address),
        enable_reuse_port={"value": True},
        listener_filters=[tls_inspector()] if is_permissive(listener.tls) else [],
        filter_chains=secured(chain, listener.tls, listener.protocol, node_class.wire),
    )


def internal_listener(
    gateway: Gateway,
    listener: Listener,
    name: str,
    node_class: NodeClass,
    routes: Fields,
    used: Collection[Use],
    *,
    logs: bool,
) -> pb.Message:
    """A listener that only other listeners of the same proxy reach."""
    chain = http_chain(
        f"egress.{name}",
        listener.protocol,
        routes,
        http_logs(gateway, node_class, listener.port, written=logs),
        Place.BEHIND,
        http_filters(used, wire=node_class.wire),
        listener.extras,
        used=used,
    )
    return pb.Listener(name=name, internal_listener={}, filter_chains=[chain])


def inline_routes(configuration: pb.Message) -> Fields:
    """A route specifier that carries the routes itself."""
    return {"route_config": configuration}


def route_specifier(configuration: pb.Message, wire: Wire) -> Fields:
    """A route specifier that names routes to be discovered, or carries them where nothing is."""
    if wire == "static":
        return inline_routes(configuration)
    return {"rds": {"route_config_name": configuration.name, "config_source": ADS}}


def pool_routes(gateway: Gateway, listener: Listener) -> pb.Message:
    """The route table in front of a connection pool: everything goes through."""
    action = {
        "cluster": names.pool_cluster(gateway, listener),
        # The listener behind has the routes' own limits.
        "timeout": duration(0),
        "idle_timeout": duration(0),
    }
    routes: list[Fields] = [{"match": {"prefix": "/"}, "route": action}]
    if listener.extras.tunnels:
        routes.append({"match": {"connect_matcher": {}}, "route": action})
    return pb.RouteConfiguration(
        name="pool",
        virtual_hosts=[
            {
                "name": "pool",
                "domains": ["*"],
                "routes": routes,
            }
        ],
    )


class Place(Enum):
    """Where on its way a request meets a connection manager."""

    EDGE = "from clients nobody knows"
    INSIDE = "from a proxy that has seen to it already"
    BEHIND = "from another listener of the same proxy"
    GUARDED = "from a proxy that has seen to it, and from anybody who says to be one"
    APPLICATION = "from the application beside the proxy"


def http_chain(
    stat_prefix: str,
    protocol: str,
    routes: Fields,
    logs: list[Fields],
    place: Place = Place.EDGE,
    filters: list[Fields] | None = None,
    extras: Extras = PLAIN,
    *,
    certificates: bool = False,
    used: Collection[Use] = (),
    hygiene: Hygiene | None = None,
    traces: Fields | None = None,
    forged: tuple[str, ...] = (),
) -> Fields:
    """`envoy.config.listener.v3.FilterChain` that reads HTTP.

    Args:
        stat_prefix: of its statistics.
        protocol: grpc, http or http2.
        routes: route specifier, and what the manager answers itself.
        logs: access logs.
        place: where it stands.
        filters: HTTP filters; the usual ones when None.
        extras: upgrades that are taken besides websockets over HTTP/1.1.
        certificates: whether clients have certificates.
        hygiene: which requests are taken at all.
        used: what routes need of filters; where some turn callers away, these are told why.
        traces: the field `tracing`, where requests are traced.
        forged: headers that callers may not bring along.
    """
    fields: Fields = {
        "stat_prefix": stat_prefix,
        "codec_type": "HTTP2" if protocol in ("http2", "grpc") else "AUTO",
        "http_filters": http_filters() if filters is None else filters,
        "access_log": logs,
        "internal_address_config": _NOBODY,
        **routes,
        **(traces or {}),
    }
    if place in (Place.EDGE, Place.APPLICATION):
        # Inside, the path is normal: a second time `/%2e%2e;/` would become something else.
        fields["normalize_path"] = {"value": True}
        fields["merge_slashes"] = True
    if place not in (Place.INSIDE, Place.BEHIND):
        # What a proxy in front knows of callers counts for nothing where they are asked again.
        fields["early_header_mutation_extensions"] = [_without_own_headers(certificates, forged)]
    if place is not Place.EDGE:
        # What an earlier proxy has learnt of the client is kept, not learnt again.
        fields["use_remote_address"] = {"value": False}
        fields["skip_xff_append"] = True
        fields["preserve_external_request_id"] = True
    else:
        fields["use_remote_address"] = {"value": True}
        # Whoever called can say which request it was.
        fields["always_set_request_id_in_response"] = True
    if place is Place.BEHIND:
        fields["original_ip_detection_extensions"] = [_seen_in_front()]
    fields.update(replies(used))
    fields.update(manager_fields(hygiene, edge=place is Place.EDGE))
    fields.update(_upgrades(protocol, extras))
    chain = network_chain(HTTP_MANAGER, pb.HttpConnectionManager(**fields))
    chain["filters"] = [*connection_filters(hygiene, stat_prefix), *chain["filters"]]
    return chain


def _upgrades(protocol: str, extras: Extras) -> Fields:
    fields: Fields = {}
    types = ["websocket"] if protocol == "http" or extras.websocket else []
    types += ["CONNECT"] if extras.tunnels else []
    if types:
        fields["upgrade_configs"] = [{"upgrade_type": name} for name in types]
    if extras.websocket or extras.tunnels:
        fields["http2_protocol_options"] = {"allow_connect": True}
    return fields


def _seen_in_front() -> Fields:
    """The client's address as the listener in front saw it.

    x-forwarded-for would do, but that has the machine's own address for clients on loopback.
    """
    config = pb.AddressHeader(header_name="x-envoy-external-address")
    return {
        "name": "envoy.http.original_ip_detection.custom_header",
        "typed_config": pb.pack(config),
    }


def _without_own_headers(certificates: bool, forged: tuple[str, ...]) -> Fields:
    """Takes headers from clients that are the proxies' own, before any route is matched.

    Where clients have certificates, their names are written down for those who ask who calls.
    """
    own: Fields = {"key_matcher": {"prefix": names.OWN_HEADERS, "ignore_case": True}}
    mutations: list[Fields] = [{"remove_on_match": own}]
    mutations += [{"remove": name} for name in forged]
    if certificates:
        for name, command in (
            (names.URI_HEADER, "%DOWNSTREAM_PEER_URI_SAN%"),
            (names.DNS_HEADER, "%DOWNSTREAM_PEER_DNS_SAN%"),
        ):
            header = {"key": name, "value": command}
            mutations.append({"append": {"header": header, "append_action": "ADD_IF_ABSENT"}})
    mutation = pb.EarlyHeaderMutation(mutations=mutations)
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": pb.pack(mutation),
    }


def network_chain(name: str, config: pb.Message) -> Fields:
    """A filter chain of one network filter."""
    return {"filters": [{"name": name, "typed_config": pb.pack(config)}]}
