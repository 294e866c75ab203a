"""What the harness changes in a static translation before it starts Envoy with it.

The routing itself stays as translated. Clusters may be pointed at an echo inside the same Envoy,
which answers with the path and authority it saw, and route tables are told to name the route, the
cluster and the virtual host they chose in response headers.
"""

from dataclasses import dataclass, field

from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import CLUSTER, LISTENER, SECRET

ECHO = "echo"
OWN_CLUSTERS = "cds_ingress_"
"""Prefix of clusters that lead back into the same Envoy."""
MANAGER = "envoy.filters.network.http_connection_manager"
SEEN = {"x-seen-path": "%REQ(:PATH)%", "x-seen-authority": "%REQ(:AUTHORITY)%"}
CHOSEN = {"x-route": "%ROUTE_NAME%", "x-cluster": "%UPSTREAM_CLUSTER%"}


@dataclass(frozen=True, slots=True)
class Messages:
    """The resources Envoy starts with."""

    listeners: list[pb.Message]
    clusters: list[pb.Message]
    secrets: list[pb.Message] = field(default_factory=list)


def unsealed(bundle: Bundle) -> Messages:
    """The listeners, clusters and secrets of a static translation."""
    return Messages(
        [unseal(item) for item in bundle.resources.get(LISTENER, {}).values()],
        [unseal(item) for item in bundle.resources.get(CLUSTER, {}).values()],
        [unseal(item) for item in bundle.resources.get(SECRET, {}).values()],
    )


def point_at_echo(messages: Messages) -> None:
    """Points every cluster of a virtual node that has an address at the echo; the way out, too."""
    for cluster in messages.clusters:
        found = cluster.load_assignment.endpoints or cluster.name.endswith("mesh-allow-all")
        if not cluster.name.startswith(OWN_CLUSTERS) and found:
            _replace_endpoints(cluster)
    messages.listeners.append(_echo())


def name_choices(messages: Messages) -> None:
    """Makes route tables tell what they chose."""
    for listener in messages.listeners:
        for chain in listener.filter_chains:
            for network_filter in chain.filters:
                manager = pb.HttpConnectionManager()
                network_filter.typed_config.Unpack(manager)
                if not manager.HasField("route_config") or manager.stat_prefix == ECHO:
                    continue
                _name_in(manager.route_config)
                network_filter.typed_config.CopyFrom(pb.pack(manager))


def _name_in(table: pb.Message) -> None:
    if table.name == "pool":
        return
    for header, value in CHOSEN.items():
        # The second pass answers first and knows better.
        _add(table.response_headers_to_add, header, value, "ADD_IF_ABSENT")
    if table.name.startswith("rds_ingress"):
        for host in table.virtual_hosts:
            _add(host.response_headers_to_add, "x-host", host.name, "ADD_IF_ABSENT")


def _add(headers: pb.Message, name: str, value: str, action: str) -> None:
    option = headers.add(header={"key": name, "value": value})
    option.append_action = option.HeaderAppendAction.Value(action)


def _replace_endpoints(cluster: pb.Message) -> None:
    name = cluster.name
    address = {"envoy_internal_address": {"server_listener_name": ECHO}}
    transport = pb.InternalUpstreamTransport(
        transport_socket={
            "name": "envoy.transport_sockets.raw_buffer",
            "typed_config": pb.pack(pb.RawBuffer()),
        }
    )
    replaced = pb.Cluster(
        name=name,
        connect_timeout={"seconds": 5},
        type="STATIC",
        load_assignment={
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        transport_socket={
            "name": "envoy.transport_sockets.internal_upstream",
            "typed_config": pb.pack(transport),
        },
    )
    options = cluster.typed_extension_protocol_options
    for kind in options:
        replaced.typed_extension_protocol_options[kind].CopyFrom(options[kind])
    cluster.CopyFrom(replaced)


def _echo() -> pb.Message:
    seen = [{"header": {"key": name, "value": value}} for name, value in SEEN.items()]
    manager = pb.HttpConnectionManager(
        stat_prefix=ECHO,
        codec_type="AUTO",
        http_filters=[
            {"name": "envoy.filters.http.router", "typed_config": pb.pack(pb.Router())},
        ],
        route_config=pb.RouteConfiguration(
            name=ECHO,
            response_headers_to_add=seen,
            virtual_hosts=[
                {
                    "name": ECHO,
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ],
        ),
    )
    filters = [{"name": MANAGER, "typed_config": pb.pack(manager)}]
    return pb.Listener(name=ECHO, internal_listener={}, filter_chains=[{"filters": filters}])
