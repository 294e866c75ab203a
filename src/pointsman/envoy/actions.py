"""What Envoy does with a matched request: targets, timeouts, retries."""

from collections.abc import Callable

from pointsman.envoy import names
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.cluster import Cluster, CookieHash, HeaderHash, SourceHash, Stickiness
from pointsman.graph.model.effects import Mirror
from pointsman.graph.model.route import DEFAULT_RETRY, RetryPolicy, Route, Timeouts, sticky_ways

_RETRY_ON = {
    # The events App Mesh lists for server-error leave out timed-out tries; Envoy's 5xx has them.
    "server-error": "5xx",
    "gateway-error": "gateway-error",
    "client-error": "retriable-4xx",
    "stream-error": "refused-stream",
    "connection-error": "connect-failure",
    "503": "retriable-status-codes",
}
"""App Mesh's retry events in Envoy's words; the others are called the same."""


def duration(ms: int) -> Fields:
    """`google.protobuf.Duration` of some milliseconds."""
    return {"seconds": ms // 1000, "nanos": ms % 1000 * 1_000_000}


def share(percent: float) -> Fields:
    """`envoy.type.v3.FractionalPercent` of a percentage, exact to a millionth of all requests."""
    return {"numerator": round(percent * 10_000), "denominator": "MILLION"}


NameOf = Callable[[Cluster], str]
"""The name one proxy has for a cluster."""


def forward(route: Route, name_of: NameOf = names.cluster) -> Fields:
    """`envoy.config.route.v3.RouteAction` towards a route's clusters, rewrites aside.

    App Mesh's default retry policy is left to the virtual host, which has it for all routes.
    """
    targets = [(name_of(item.cluster), item.weight) for item in route.targets]
    fields: Fields = {}
    if len(targets) == 1:
        fields["cluster"] = targets[0][0]
    else:
        weighted: Fields = {"clusters": merged(targets)}
        if route.effects.cohort is not None:
            weighted["use_hash_policy"] = {"value": True}
        fields["weighted_clusters"] = weighted
    fields.update(timeouts(route.timeouts))
    if route.retry != DEFAULT_RETRY:
        fields["retry_policy"] = retry_policy(route.retry)
    if route.effects.mirror is not None:
        fields["request_mirror_policies"] = [_mirror(route.effects.mirror, name_of)]
    policies = [_hash_policy(way) for way in sticky_ways(route)[:1]]
    if route.effects.cohort is not None and len(targets) > 1:
        # Whoever belongs to a cohort is told apart by that alone, at endpoints as well.
        policies.insert(0, {**_hash_policy(route.effects.cohort), "terminal": True})
    if policies:
        fields["hash_policy"] = policies
    return fields


def _mirror(mirror: Mirror, name_of: NameOf) -> Fields:
    return {
        "cluster": name_of(mirror.cluster),
        "runtime_fraction": {"default_value": share(mirror.percent)},
        # Envoy would call it HOST-shadow, a host that no application knows.
        "disable_shadow_host_suffix_append": True,
    }


def _hash_policy(way: Stickiness) -> Fields:
    match way:
        case CookieHash():
            cookie: Fields = {"name": way.name, "path": way.path}
            if way.ttl_s is not None:
                cookie["ttl"] = duration(1000 * way.ttl_s)
            return {"cookie": cookie}
        case HeaderHash():
            return {"header": {"header_name": way.name}}
        case SourceHash():
            return {"connection_properties": {"source_ip": True}}


def merged(targets: list[tuple[str, int]]) -> list[Fields]:
    """Weights by cluster; two targets may be the same port of the same node."""
    weights: dict[str, int] = {}
    for name, weight in targets:
        weights[name] = weights.get(name, 0) + weight
    return [{"name": name, "weight": {"value": weight}} for name, weight in weights.items()]


def timeouts(limits: Timeouts) -> Fields:
    """Timeout fields of a RouteAction."""
    fields: Fields = {"timeout": duration(limits.request_ms)}
    if limits.idle_ms is not None:
        fields["idle_timeout"] = duration(limits.idle_ms)
    return fields


def retry_policy(policy: RetryPolicy) -> Fields:
    """`envoy.config.route.v3.RetryPolicy`; without retries an empty one, which retries nothing."""
    if policy.max_retries == 0:
        return {}
    statuses = [*([503] if "503" in policy.events else []), *policy.statuses]
    events = [_RETRY_ON.get(event, event) for event in policy.events]
    if policy.statuses:
        events.append(_RETRY_ON["503"])
    fields: Fields = {
        "retry_on": ",".join(dict.fromkeys(events)),
        "num_retries": {"value": policy.max_retries},
    }
    if statuses:
        fields["retriable_status_codes"] = statuses
    if policy.per_retry_ms:
        fields["per_try_timeout"] = duration(policy.per_retry_ms)
    return fields
