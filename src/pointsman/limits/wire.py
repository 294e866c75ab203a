"""Words to proxies, as messages of RLQS.

What Envoy 1.40 does with them (source/extensions/filters/http/rate_limit_quota/
global_client_impl.cc):

- A token bucket that is equal to the one before is kept as it is, and only its time to live begins
  anew. Of the fill interval only the nanoseconds are compared, and only the seconds count.
- Another token bucket begins as full, in proportion, as the one before was. Only after a blanket
  rule it begins full; both may be in one response.
- `requests_per_time_unit` is not supported.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from envoy.service.rate_limit_quota.v3 import rlqs_pb2
from envoy.type.v3 import ratelimit_strategy_pb2

from pointsman.limits.definitions import Bucket
from pointsman.limits.ledger import Told
from pointsman.limits.terms import Blanket, Forget, Terms, Tokens

Message = Any
"""A message of protobuf, which has no types."""
SERVICE: Final = "envoy.service.rate_limit_quota.v3.RateLimitQuotaService"
METHOD: Final = "StreamRateLimitQuotas"
Reports: Final = rlqs_pb2.RateLimitQuotaUsageReports

_Strategy = ratelimit_strategy_pb2.RateLimitStrategy
_NEVER_S: Final = 31_536_000
"""Seconds in which one token comes to a bucket that never fills; it has to fill somehow."""
_FIELD: Final = 4_000_000_000
"""Fields of 32 bits hold as much."""
_DENY_S: Final = 60


def response(told: Iterable[Told]) -> Message:
    """All that a proxy is to be told, in the order it was said."""
    actions = [action for item in told for action in _actions(item)]
    return rlqs_pb2.RateLimitQuotaResponse(bucket_action=actions)


def _actions(told: Told) -> Iterator[dict[str, Any]]:
    bucket, word = told.bucket, told.word
    if isinstance(word.terms, Forget):
        yield _named(bucket) | {"abandon_action": {}}
        return
    if isinstance(word.terms, Tokens) and word.terms.fresh:
        yield _assignment(bucket, _blanket(allow=False), _DENY_S)
    yield _assignment(bucket, _strategy(word.terms), word.ttl)


def _assignment(bucket: Bucket, strategy: Message, ttl: int) -> dict[str, Any]:
    action = {"assignment_time_to_live": {"seconds": ttl}, "rate_limit_strategy": strategy}
    return _named(bucket) | {"quota_assignment_action": action}


def _named(bucket: Bucket) -> dict[str, Any]:
    return {"bucket_id": {"bucket": dict(bucket)}}


def _blanket(*, allow: bool) -> Message:
    return _Strategy(blanket_rule=_Strategy.ALLOW_ALL if allow else _Strategy.DENY_ALL)


def _strategy(terms: Terms) -> Message:
    if not isinstance(terms, Tokens):
        return _blanket(allow=isinstance(terms, Blanket) and terms.allow)
    tokens, seconds, mark = _fill(terms.fill)
    interval = {"seconds": seconds, "nanos": mark}
    fields = {"max_tokens": min(terms.most, _FIELD), "tokens_per_fill": {"value": tokens}}
    return _Strategy(token_bucket={**fields, "fill_interval": interval})


def _fill(per_s: float) -> tuple[int, int, int]:
    """Tokens, in so many seconds, and nanoseconds that tell the seconds apart."""
    if per_s <= 0:
        return 1, _NEVER_S, 0
    for mark, seconds in enumerate((1_000_000_000, 1_000_000, 1_000), 1):
        if per_s * seconds <= _FIELD:
            # Rounded down: all shares together are no more than the rate.
            return max(1, int(per_s * seconds)), seconds, mark
    return min(int(per_s), _FIELD), 1, 4
