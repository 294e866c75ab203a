"""Limits: the filters of a listener that count, and what rows of the route table say of them.

What is counted is in the chain's filter and not in the rows, so that all rows of a listener,
whichever way they were split, count together. The filters are resources of their own (ECDS)
where a proxy discovers anything: an edit of a rate leaves the listener, its connections and the
other limits as they are.

| how it is counted          | filter                                | module            |
|----------------------------|---------------------------------------|-------------------|
| by the proxy itself        | `envoy.filters.http.local_ratelimit`  | `limits_local`    |
| by the control plane       | `envoy.filters.http.rate_limit_quota` | `limits_quota`    |
| by a service of one's own  | `envoy.filters.http.ratelimit`        | `limits_external` |

A proxy that runs from a file has no control plane to ask, and counts by itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.config_source import ADS
from pointsman.envoy.filters import limits_external, limits_local, limits_quota
from pointsman.envoy.filters.limit_matches import acting
from pointsman.envoy.filters.limit_replies import TELLING
from pointsman.envoy.filters.limited import Counter, Way, counters
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import TYPE_PREFIX, Sealed
from pointsman.graph.model.limits import Limits, Service

BEFORE: Final = "pointsman.limits_before"
"""Those that count before it is known who calls."""
AFTER: Final = "pointsman.limits"
_ON: Final = pb.pack(pb.FilterConfig(config={}))
_TYPES: Final = tuple(
    TYPE_PREFIX + message.DESCRIPTOR.full_name
    for message in (
        pb.ExtensionWithMatcher,
        pb.HeaderMutation,
        pb.LocalRateLimit,
        pb.RateLimit,
        pb.RateLimitQuota,
    )
)


@lru_cache(maxsize=256)
def limits_of_row(limits: Limits) -> Mapping[str, pb.Message]:
    """What a row switches on; made once, for there are many rows to a policy."""
    found = {counter.name: _ON for counter in counters(limits)}
    if any(limit.style == "draft" for limit in limits.limits):
        found[TELLING] = _ON
    return found


@lru_cache(maxsize=256)
def limit_uses(limits: Limits) -> frozenset[str | Counter]:
    """What a listener needs for them."""
    found: set[str | Counter] = set(counters(limits))
    found |= {BEFORE if limit.before else AFTER for limit in limits.limits}
    if any(limit.style == "draft" for limit in limits.limits):
        found.add(TELLING)
    return frozenset(found)


def limit_filters(used: Collection[object], wire: Wire, *, before: bool) -> list[Fields]:
    """The filters of one stage, in the order of their policies and limits.

    Args:
        used: what the rows need; counters among them.
        wire: how the proxy gets what filters refer to.
        before: which stage.
    """
    found = (item for item in used if isinstance(item, Counter) and item.limit.before == before)
    return [_filter(counter, wire) for counter in sorted(found, key=lambda item: item.order)]


def _filter(counter: Counter, wire: Wire) -> Fields:
    fields: Fields = {"name": counter.name, "disabled": True}
    if wire == "static":
        fields["typed_config"] = pb.pack(_config(counter, alone=True))
    else:
        fields["config_discovery"] = {"config_source": ADS, "type_urls": _TYPES}
    return fields


def sealed_limits(used: Iterable[object]) -> Iterator[Sealed]:
    """The same filters as resources, where they are discovered."""
    for item in used:
        if isinstance(item, Counter):
            config = pb.TypedExtensionConfig(name=item.name, typed_config=pb.pack(_config(item)))
            yield seal(config, (item.policy,))


def _config(counter: Counter, *, alone: bool = False) -> pb.Message:
    if counter.way is Way.FACTS:
        return limits_quota.facts_filter(counter)
    if isinstance(counter.allowance, Service):
        config = limits_external.external_limit(counter, counter.allowance)
    elif counter.way is Way.SHARED and not alone:
        config = limits_quota.quota_limit(counter)
    else:
        config = limits_local.local_limit(counter, counter.allowance)
    return acting(counter, config)


@lru_cache(maxsize=256)
def limit_facts(limits: Limits) -> frozenset[str]:
    """Headers of the limits' own that backends do not see."""
    shared = (limit for limit in limits.limits if limit.shared)
    return frozenset(name for limit in shared for name in limits_quota.facts(limit.by))
