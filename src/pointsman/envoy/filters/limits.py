"""Limits: a filter for each way in which something is counted.

An Envoy filter that limits knows one allowance and one bucket for a request. So a limit is as
many filters as it has allowances, its own and those of its overrides, and each of them acts only
on the requests that are its own (`limit_matches`). What it counts is in the chain's filter and
not in the rows of the route table, so that all rows, whichever way they were split, share it.

| how it is counted          | filter                             | module          |
|----------------------------|------------------------------------|-----------------|
| by the proxy itself        | `envoy.filters.http.local_ratelimit` | limits_local    |
| by a service of one's own  | `envoy.filters.http.ratelimit`     | limits_external |

The filters are resources of their own (ECDS) where a proxy discovers anything: an edit of a rate
leaves the listener, its connections and the other limits as they are.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.config_source import ADS
from pointsman.envoy.filters import limits_external, limits_local
from pointsman.envoy.filters.limit_matches import acting
from pointsman.envoy.filters.limit_replies import TELLING
from pointsman.envoy.filters.limited import Counter, counters
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
    for message in (pb.ExtensionWithMatcher, pb.LocalRateLimit, pb.RateLimit)
)


def limits_of_row(limits: Limits) -> dict[str, pb.Message]:
    """What a row switches on."""
    found = {counter.name: _ON for counter in counters(limits)}
    if any(limit.style == "draft" for limit in limits.limits):
        found[TELLING] = _ON
    return found


def limit_uses(limits: Limits) -> Iterator[str | Counter]:
    """What a listener needs for them."""
    for counter in counters(limits):
        yield counter
        yield BEFORE if counter.limit.before else AFTER
    if any(limit.style == "draft" for limit in limits.limits):
        yield TELLING


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
        fields["typed_config"] = pb.pack(_config(counter))
    else:
        fields["config_discovery"] = {"config_source": ADS, "type_urls": _TYPES}
    return fields


def sealed_limits(used: Iterable[object]) -> Iterator[Sealed]:
    """The same filters as resources, where they are discovered."""
    for item in used:
        if isinstance(item, Counter):
            config = pb.TypedExtensionConfig(name=item.name, typed_config=pb.pack(_config(item)))
            yield seal(config, (item.policy,))


def _config(counter: Counter) -> pb.Message:
    if isinstance(counter.allowance, Service):
        config = limits_external.external_limit(counter, counter.allowance)
    else:
        config = limits_local.local_limit(counter, counter.allowance)
    return acting(counter, config)
