"""What the control plane counts, by the ids of buckets."""

from pointsman.graph.model.limits import Quota, Rate
from pointsman.graph.shared_limits import SharedLimit, shared_limits
from tests.support.limits import SCENE, limits, rate
from tests.support.manifests import policy
from tests.support.scenes import key, linked

QUOTA = {"requests": 5, "per": "month", "window": "rolling"}


def test_all_shared_limits_are_there_and_no_others() -> None:
    guard = limits(
        {"name": "own", "rate": rate(3)},
        {"name": "rate", "rate": rate(3), "scope": "shared", "shadow": True},
        {
            "name": "month",
            "quota": QUOTA,
            "overrides": [
                {"groups": ["a"], "unlimited": True},
                {"groups": ["b"], "quota": QUOTA | {"requests": 9}},
            ],
        },
    )
    routes = policy(
        "RateLimitPolicy", "routes", "GatewayRoute/books", limits=[{"name": "x", "quota": QUOTA}]
    )
    plans, other = key("RateLimitPolicy", "plans"), key("RateLimitPolicy", "routes")
    five, nine = Quota(5, "month", "rolling"), Quota(9, "month", "rolling")
    assert shared_limits(linked(*SCENE, guard, routes).graph) == {
        ("shop/plans/rate", "base"): SharedLimit(plans, 1, Rate(3, "hour", 3), True),
        ("shop/plans/month", "base"): SharedLimit(plans, 2, five, False),
        ("shop/plans/month", "1"): SharedLimit(plans, 2, nine, False),
        ("shop/routes/x", "base"): SharedLimit(other, 0, five, False),
    }
