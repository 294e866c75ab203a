"""Limits that a service of one's own decides: `ratelimit`, asked for each request."""

from pointsman.envoy import pb
from pointsman.envoy.actions import duration
from pointsman.envoy.filters.limit_keys import descriptors
from pointsman.envoy.filters.limited import LIMIT_HEADER, Counter
from pointsman.envoy.outside import Outside
from pointsman.graph.model.limits import Service


def service_of(service: Service) -> Outside:
    """The server that is asked."""
    return Outside(service.url, service.ca_file, "http2")


def external_limit(counter: Counter, service: Service) -> pb.Message:
    """`envoy.extensions.filters.http.ratelimit.v3.RateLimit`."""
    limit = counter.limit
    header = {"key": LIMIT_HEADER, "value": counter.id}
    return pb.RateLimit(
        domain=service.domain,
        timeout=duration(service.timeout_ms),
        failure_mode_deny=limit.away == "deny",
        status_on_error={"code": 503},
        rate_limit_service={
            "grpc_service": {"envoy_grpc": {"cluster_name": service_of(service).cluster}},
            "transport_api_version": "V3",
        },
        rate_limits=[item.rate_limit for item in descriptors(limit)],
        filter_enforced={"default_value": {"numerator": 0 if limit.shadow else 100}},
        enable_x_ratelimit_headers="OFF" if limit.style == "none" else "DRAFT_VERSION_03",
        rate_limited_as_resource_exhausted=True,
        disable_x_envoy_ratelimited_header=True,
        response_headers_to_add=[{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
        stat_prefix=counter.stat_prefix,
    )
