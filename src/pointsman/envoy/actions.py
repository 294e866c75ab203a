"""What Envoy does with a matched request: targets, timeouts, retries."""

from collections.abc import Callable

from pointsman.envoy import names
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.route import DEFAULT_RETRY, RetryPolicy, Route, Timeouts

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
        fields["weighted_clusters"] = {"clusters": merged(targets)}
    fields.update(timeouts(route.timeouts))
    if route.retry != DEFAULT_RETRY:
        fields["retry_policy"] = retry_policy(route.retry)
    return fields


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
    events = [_RETRY_ON.get(event, event) for event in policy.events]
    fields: Fields = {
        "retry_on": ",".join(events),
        "num_retries": {"value": policy.max_retries},
    }
    if "503" in policy.events:
        fields["retriable_status_codes"] = [503]
    if policy.per_retry_ms:
        fields["per_try_timeout"] = duration(policy.per_retry_ms)
    return fields
