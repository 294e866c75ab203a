"""Limits that the control plane counts for all proxies: `rate_limit_quota`, leases over RLQS.

The filter finds the bucket of a request, asks for an assignment when it has none, and reports
what it has used. The bucket's id tells the limit, which of its allowances holds, and the values the
request is counted by: which override fits is decided in the proxy, and nowhere else.

What Envoy 1.40 does:

- `rate_limit_quota` reads headers only. What is none becomes one, in a filter just before.
- Until the first assignment for a bucket has come, requests go by `no_assignment_behavior`, and
  nobody waits. It may be a blanket rule; a token bucket there crashes Envoy. So they pass, unless
  the limit is strict, and whoever leases takes them into account.
- After the last assignment has run out, requests go by `expired_assignment_behavior` until its
  timeout, which has to be there, and then by `no_assignment_behavior` again. The bucket stays, and
  is reported every five seconds.
- `filter_enforced` is not looked at. A shadow lets pass what has no lease, and the leases it gets
  let all pass.

`whenAway: local` lets pass what nobody leases, in front of a limit of the proxy's own.
"""

from collections.abc import Iterator
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.filters import tokens
from pointsman.envoy.filters.limit_keys import HEADER_OF
from pointsman.envoy.filters.limit_matches import all_of, present
from pointsman.envoy.filters.limited import LIMIT_HEADER, Counter
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.limits import CountedBy, KeyKind, Rate, allowance_id

DOMAIN: Final = "pointsman"
FACT_HEADER: Final = "x-pointsman-by-"
"""How headers begin that tell what a request is counted by; they never leave the proxy."""
_REPORT_MS: Final = 1_000
_AWAY_MS: Final = 30 * 86_400_000
"""Milliseconds for which what had a lease is refused while nobody can be asked."""
_DENY: Final = "DENY_ALL"
_ALLOW: Final = "ALLOW_ALL"
_ADDRESS: Final = CountedBy(KeyKind.IP)
_WORDS: Final = {KeyKind.PATH: "%PATH(NQ)%", KeyKind.ROUTE: "%ROUTE_NAME%"}


def facts(by: tuple[CountedBy, ...]) -> dict[str, str]:
    """Headers that tell what is none of the request's: name -> Envoy's format of the value."""
    found = {_header(_ADDRESS): _format(_ADDRESS)}
    for item in by:
        if item.kind is not KeyKind.HEADER and item.kind not in HEADER_OF:
            found[_header(item)] = _format(item)
    return found


def facts_filter(counter: Counter) -> pb.Message:
    """Writes them down."""
    changes = [
        {
            "append": {
                "header": {"key": name, "value": value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for name, value in facts(counter.limit.by).items()
    ]
    return pb.HeaderMutation(mutations={"request_mutations": changes})


def quota_limit(counter: Counter) -> pb.Message:
    """`envoy.extensions.filters.http.rate_limit_quota.v3.RateLimitQuotaFilterConfig`."""
    return pb.RateLimitQuota(
        rlqs_server={"envoy_grpc": {"cluster_name": names.XDS_CLUSTER}},
        domain=DOMAIN,
        filter_enabled={"default_value": {"numerator": 100}},
        filter_enforced={"default_value": {"numerator": 100}},
        bucket_matchers=_matchers(counter),
    )


def _matchers(counter: Counter) -> Fields:
    """Those who have all keys, and else those who lack one: they count by their address."""
    by = counter.limit.by
    headers = [header for header in map(_request_header, by) if header is not None]
    if not headers:
        return {"on_no_match": _bucket(counter, by)}
    rest = tuple(item for item in by if _request_header(item) is None)
    if not any(item.kind is KeyKind.IP for item in rest):
        rest = (*rest, _ADDRESS)
    full = {
        "predicate": all_of([present(header) for header in headers]),
        "on_match": _bucket(counter, by),
    }
    return {
        "matcher_list": {"matchers": [full]},
        "on_no_match": _bucket(counter, rest, {"without": {"string_value": "key"}}),
    }


def _bucket(counter: Counter, by: tuple[CountedBy, ...], more: Fields | None = None) -> Fields:
    ids: Fields = {
        "limit": {"string_value": counter.id},
        "allowance": {"string_value": allowance_id(counter.override)},
        **(more or {}),
    }
    for item in by:
        header = _header(item)
        source = pb.RequestHeaderInput(header_name=header)
        ids[_word(item)] = {"custom_value": {"name": header, "typed_config": pb.pack(source)}}
    limit = counter.limit
    first = _DENY if limit.strict and not limit.shadow else _ALLOW
    last: Fields = {}
    if limit.away == "deny" and not limit.shadow:
        last = {
            "fallback_rate_limit": {"blanket_rule": _DENY},
            "expired_assignment_behavior_timeout": duration(_AWAY_MS),
        }
    bucket = pb.RateLimitQuotaBucket(
        bucket_id_builder={"bucket_id_builder": ids},
        reporting_interval=duration(_REPORT_MS),
        no_assignment_behavior={"fallback_rate_limit": {"blanket_rule": first}},
        expired_assignment_behavior=last or None,
        deny_response_settings={
            "http_status": {"code": 429},
            "grpc_status": {"code": 8, "message": "over limit"},
            "response_headers_to_add": [*_told(counter)],
        },
    )
    return {"action": {"name": "bucket", "typed_config": pb.pack(bucket)}}


def _told(counter: Counter) -> Iterator[Fields]:
    """Headers of a refusal; when a quota starts anew only those know who count it."""
    yield {"header": {"key": LIMIT_HEADER, "value": counter.id}}
    if isinstance(counter.allowance, Rate):
        yield {"header": {"key": "retry-after", "value": str(counter.allowance.wait_s())}}


def _word(by: CountedBy) -> str:
    """What a key is called in ids of buckets."""
    named = by.kind in (KeyKind.HEADER, KeyKind.CLAIM)
    return f"{by.kind.value}:{by.name}" if named else by.kind.value


def _request_header(by: CountedBy) -> str | None:
    """The header that a request may lack; what proxies write down is always there."""
    if by.kind in (KeyKind.IP, KeyKind.PATH, KeyKind.ROUTE):
        return None
    return _header(by)


def _header(by: CountedBy) -> str:
    match by.kind:
        case KeyKind.HEADER:
            return by.name
        case KeyKind.IP:
            return f"{FACT_HEADER}ip-{by.v6_bits}"
        case KeyKind.CLAIM:
            return f"{FACT_HEADER}claim-{by.name.encode().hex()}"
        case KeyKind.PATH | KeyKind.ROUTE:
            return f"{FACT_HEADER}{by.kind.value}"
        case KeyKind.CONSUMER | KeyKind.CREDENTIAL | KeyKind.GROUPS:
            return HEADER_OF[by.kind]


def _format(by: CountedBy) -> str:
    if by.kind is KeyKind.IP:
        # Of an IPv4 address, which has 32 bits, all count.
        return f"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT({by.v6_bits})%"
    if by.kind is KeyKind.CLAIM:
        path = ":".join((tokens.METADATA, tokens.PAYLOAD, *by.name.split(".")))
        return f"%DYNAMIC_METADATA({path})%"
    return _WORDS[by.kind]
