"""How Envoy chooses among the endpoints of a cluster."""

from pointsman.envoy.actions import duration
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.cluster import Balancing

_WITH_SLOW_START = {
    "ROUND_ROBIN": "round_robin_lb_config",
    "LEAST_REQUEST": "least_request_lb_config",
}


def choice(balancing: Balancing) -> Fields:
    """Fields of `envoy.config.cluster.v3.Cluster`; Envoy's defaults are left out."""
    fields: Fields = {"connect_timeout": duration(balancing.connect_ms)}
    if balancing.algorithm != "ROUND_ROBIN":
        fields["lb_policy"] = balancing.algorithm
    slow = balancing.slow_start
    if slow is not None:
        fields[_WITH_SLOW_START[balancing.algorithm]] = {
            "slow_start_config": {
                "slow_start_window": duration(slow.window_ms),
                "min_weight_percent": {"value": slow.min_percent},
            }
        }
    if balancing.panic_percent is not None:
        panic = {"value": balancing.panic_percent}
        fields["common_lb_config"] = {"healthy_panic_threshold": panic}
    return fields
