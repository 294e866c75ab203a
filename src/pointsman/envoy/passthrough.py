"""The way past all services, for a mesh whose egress filter allows it.

A redirected connection goes on to where it was going. One that was not redirected tells only by
the host of its requests, which is looked up then.
"""

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.clusters import LOOKUP, UNLIMITED
from pointsman.envoy.config_source import HTTP_OPTIONS
from pointsman.envoy.matchers import Fields

_AS_SPOKEN = pb.pack(
    pb.HttpProtocolOptions(
        use_downstream_protocol_config={"http_protocol_options": {}, "http2_protocol_options": {}}
    )
)
_LIMITS = {
    "thresholds": [
        {
            "max_connections": {"value": UNLIMITED},
            "max_pending_requests": {"value": UNLIMITED},
            "max_requests": {"value": UNLIMITED},
        }
    ]
}


def original_cluster(name: str) -> pb.Message:
    """The cluster of wherever a redirected connection was going."""
    return pb.Cluster(
        name=name,
        type="ORIGINAL_DST",
        lb_policy="CLUSTER_PROVIDED",
        connect_timeout=duration(10_000),
        circuit_breakers=_LIMITS,
        typed_extension_protocol_options={HTTP_OPTIONS: _AS_SPOKEN},
    )


def nowhere_cluster() -> pb.Message:
    """A cluster without endpoints: connections to it end at once."""
    return pb.Cluster(name=names.NOWHERE, type="STATIC", connect_timeout=duration(10_000))


def forward_cluster(name: str, ip_preference: str | None) -> pb.Message:
    """The cluster of whatever host a request names."""
    config = pb.DynamicForwardProxyCluster(
        dns_cache_config=_cache(ip_preference),
        # Envoy asks for it where names are not verified: these connections have no TLS at all.
        allow_insecure_cluster_options=True,
    )
    return pb.Cluster(
        name=name,
        cluster_type={
            "name": "envoy.clusters.dynamic_forward_proxy",
            "typed_config": pb.pack(config),
        },
        lb_policy="CLUSTER_PROVIDED",
        connect_timeout=duration(10_000),
        circuit_breakers=_LIMITS,
        typed_extension_protocol_options={HTTP_OPTIONS: _AS_SPOKEN},
    )


def forward_filter(ip_preference: str | None) -> Fields:
    """The HTTP filter that looks up the host, before the router needs its address."""
    config = pb.DynamicForwardProxy(dns_cache_config=_cache(ip_preference))
    return {
        "name": "envoy.filters.http.dynamic_forward_proxy",
        "typed_config": pb.pack(config),
    }


def allow_all_host(cluster: str) -> pb.Message:
    """The virtual host of what no service has the name of."""
    # Nobody asked for limits or retries of what only passes.
    action = {"cluster": cluster, "timeout": duration(0), "idle_timeout": duration(0)}
    routes = [{"name": "allow_all", "match": {"prefix": "/"}, "route": action}]
    return pb.VirtualHost(name="allow_all", domains=["*"], routes=routes)


def _cache(ip_preference: str | None) -> Fields:
    # Of a name that has addresses of both kinds, both are tried (RFC 8305): this is the way to
    # hosts outside of any mesh, from a machine that may have IPv6 on loopback only.
    family = "ALL" if ip_preference is None else LOOKUP[ip_preference]
    # Envoy refuses one name with other settings, which an edit of the preference would come to.
    return {"name": f"allow_all_{family.lower()}", "dns_lookup_family": family}
