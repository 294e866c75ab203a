"""Connections that are passed on as they are."""

from pointsman.envoy import pb
from pointsman.envoy.actions import duration, merged
from pointsman.envoy.listeners import network_chain
from pointsman.envoy.matchers import Fields

TCP_PROXY = "envoy.filters.network.tcp_proxy"
DEFAULT_IDLE_MS = 300_000
"""Silence that ends a TCP connection where no manifest says so (App Mesh user guide)."""


def tcp_chain(
    stat_prefix: str,
    targets: list[tuple[str, int]],
    idle_ms: int | None,
    logs: list[Fields],
    *,
    sticky: bool = False,
) -> Fields:
    """`envoy.config.listener.v3.FilterChain` that passes bytes on.

    Args:
        stat_prefix: of its statistics.
        targets: names of clusters, with weights of at least 1.
        idle_ms: silence that ends a connection, in ms; 0 for never, None for App Mesh's default.
        logs: access logs.
        sticky: whether a client's connections go to one endpoint.
    """
    fields: Fields = {"stat_prefix": stat_prefix, "access_log": logs}
    clusters = merged(targets)
    if len(clusters) == 1:
        fields["cluster"] = clusters[0]["name"]
    else:
        fields["weighted_clusters"] = {
            "clusters": [{**item, "weight": item["weight"]["value"]} for item in clusters]
        }
    fields["idle_timeout"] = duration(DEFAULT_IDLE_MS if idle_ms is None else idle_ms)
    if sticky:
        fields["hash_policy"] = [{"source_ip": {}}]
    return network_chain(TCP_PROXY, pb.TcpProxy(**fields))
