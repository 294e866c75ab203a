"""Limits that a proxy counts by itself: `local_ratelimit`, a token bucket for each key.

Envoy fills a bucket evenly, token by token, at `tokens_per_fill` in `fill_interval`, so that the
rate is right whatever the interval. Of the keys it remembers `max_dynamic_descriptors`; beyond,
the one that was not seen for the longest time is forgotten, and starts with a full bucket.
"""

from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.actions import duration
from pointsman.envoy.filters.limit_keys import descriptors
from pointsman.envoy.filters.limited import LIMIT_HEADER, Counter
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.limits import SECONDS, Allowance, Quota, Rate

_ALL: Final = {"default_value": {"numerator": 100}}
_NONE: Final = {"default_value": {"numerator": 0}}


def local_limit(counter: Counter, allowance: Allowance) -> pb.Message:
    """`envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`.

    A quota that the proxy counts while nobody else does comes back evenly. It is twice as large,
    for all of one window and all of the next may come together, and it must not refuse what those
    who count would admit.
    """
    rate = allowance
    if isinstance(rate, Quota):
        rate = Rate(rate.requests, rate.per, 2 * rate.requests)
    found = [*descriptors(counter.limit)]
    bucket = _bucket(rate)
    entries = dict.fromkeys(item.entries for item in found)
    return pb.LocalRateLimit(
        stat_prefix=counter.stat_prefix,
        # For requests that no descriptor is made of, of which there should be none.
        token_bucket=bucket,
        always_consume_default_token_bucket={"value": False},
        filter_enabled=_ALL,
        filter_enforced=_NONE if counter.limit.shadow else _ALL,
        descriptors=[{"entries": _entries(item), "token_bucket": bucket} for item in entries],
        rate_limits=[item.rate_limit for item in found],
        max_dynamic_descriptors={"value": counter.limit.max_keys},
        enable_x_ratelimit_headers="OFF" if counter.limit.style == "none" else "DRAFT_VERSION_03",
        rate_limited_as_resource_exhausted=True,
        response_headers_to_add=[
            _header(LIMIT_HEADER, counter.id),
            _header("retry-after", str(rate.wait_s(counter.limit.cost))),
        ],
    )


def _bucket(rate: Rate) -> Fields:
    return {
        "max_tokens": rate.burst,
        "tokens_per_fill": {"value": rate.requests},
        "fill_interval": duration(SECONDS[rate.per] * 1_000),
    }


def _entries(entries: tuple[tuple[str, str], ...]) -> list[Fields]:
    return [{"key": key, "value": value} for key, value in entries]


def _header(name: str, value: str) -> Fields:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
