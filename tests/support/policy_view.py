"""What policies do, in words, as parts of a graph's view."""

from collections.abc import Iterator

from pointsman.graph.model.access import Access
from pointsman.graph.model.cluster import EVENLY, Cluster, CookieHash, HeaderHash, SourceHash
from pointsman.graph.model.effects import Effects, HeaderChange
from pointsman.graph.model.guards import Guards
from pointsman.graph.model.limits import ALL_COUNT, Allowance, Limit, Quota, Rate, Service
from pointsman.graph.model.listener import Extras
from pointsman.graph.model.route import Override


def override_words(override: Override) -> str:
    """What a policy says; "" for nothing."""
    words = []
    if override.request_ms is not None:
        words.append(f"request {override.request_ms} ms")
    if override.idle_ms is not None:
        words.append(f"idle {override.idle_ms} ms")
    if override.retry is not None:
        on = ", ".join((*override.retry.events, *map(str, override.retry.statuses)))
        each = override.retry.per_retry_ms
        words.append(f"{override.retry.max_retries} times of {each} ms on {on}")
    return "; ".join([*words, *_effects(override.effects)])


def effects_words(effects: Effects) -> str:
    """Effects; "" for none."""
    return "; ".join(_effects(effects))


def _effects(effects: Effects) -> Iterator[str]:
    if effects.request_headers:
        yield "request headers " + _changes(effects.request_headers)
    if effects.response_headers:
        yield "response headers " + _changes(effects.response_headers)
    if effects.mirror is not None:
        cluster = effects.mirror.cluster
        yield f"{effects.mirror.percent:g} % copied to {cluster.node.path}:{cluster.port}"
    if effects.fault is not None and effects.fault.delay is not None:
        yield f"{effects.fault.delay.percent:g} % wait {effects.fault.delay.ms} ms"
    if effects.fault is not None and effects.fault.abort is not None:
        abort = effects.fault.abort
        status = abort.status if abort.grpc_status is None else f"gRPC {abort.grpc_status}"
        yield f"{abort.percent:g} % answered {status}"
    if effects.cors is not None:
        yield f"scripts of {', '.join(effects.cors.origins)}"


def _changes(changes: tuple[HeaderChange, ...]) -> str:
    return ", ".join(
        f"{item.verb} {item.name}" + (f"={item.value}" if item.verb != "remove" else "")
        for item in changes
    )


def extras_words(extras: Extras) -> str:
    """What a listener does besides; "" for nothing."""
    words = []
    if extras.compression is not None:
        kinds = ", ".join(extras.compression.content_types)
        words.append(
            f"{'/'.join(extras.compression.encodings)} from {extras.compression.min_bytes} bytes"
            + (f" of {kinds}" if kinds else "")
        )
    words += ["websockets"] if extras.websocket else []
    words += ["tunnels"] if extras.tunnels else []
    return ", ".join(words)


def balancing_words(cluster: Cluster) -> str:
    """How an endpoint is chosen; "" as App Mesh did."""
    words = ["own zone first"] if cluster.zone_aware else []
    balancing = cluster.balancing
    if balancing == EVENLY:
        return ", ".join(words)
    match balancing.stickiness:
        case CookieHash() as cookie:
            words.insert(0, f"by cookie {cookie.name} of {cookie.path} for {cookie.ttl_s} s")
        case HeaderHash() as header:
            words.insert(0, f"by header {header.name}")
        case SourceHash():
            words.insert(0, "by source")
    words.insert(0, balancing.algorithm)
    if balancing.slow_start is not None:
        slow = balancing.slow_start
        words.append(f"from {slow.min_percent} % within {slow.window_ms} ms")
    if balancing.panic_percent is not None:
        words.append(f"panic below {balancing.panic_percent} %")
    words.append(f"connect {balancing.connect_ms} ms")
    return ", ".join(words)


def guards_words(guards: Guards) -> str:
    """What stands before something; "" for nothing."""
    words = [] if guards.access is None else [_access_words(guards.access)]
    if guards.limits is not None:
        words.append(f"limits {guards.limits.policy.path}")
        words += [_limit_words(limit) for limit in guards.limits.limits]
    return "; ".join(words)


def _access_words(access: Access) -> str:
    words = [f"access {access.policy.path}"]
    words += [type(method).__name__ for method in access.methods]
    if access.anonymous:
        words.append("anybody")
    if access.allow or access.deny:
        words.append(f"from {', '.join(access.allow) or 'anywhere'}")
    if access.deny:
        words.append(f"not from {', '.join(access.deny)}")
    words += [f"{rule.action} {rule.name}" for rule in access.rules]
    words.append(f"else {access.default}")
    if access.external is not None:
        words.append(f"asks {access.external.url}")
    return "; ".join([*words, "audit"] if access.audit else words)


def _limit_words(limit: Limit) -> str:
    keys = ", ".join(f"{item.kind} {item.name}".strip() for item in limit.by)
    words = [f"{limit.name}: {_allowance_words(limit.allowance)}"]
    words += [f"by {keys}"] if keys else []
    for override in limit.overrides:
        whom = ", ".join((*(key.path for key in override.consumers), *override.groups))
        words.append(f"for {whom} {_allowance_words(override.allowance)}")
    words += ["some"] if limit.counted != ALL_COUNT else []
    words += [f"cost {limit.cost_header or limit.cost}"] if limit.cost_header else []
    words += [f"cost {limit.cost}"] if limit.cost > 1 else []
    words += ["shared"] if limit.shared else []
    words += ["before"] if limit.before else []
    words += ["shadow"] if limit.shadow else []
    return ", ".join(words)


def _allowance_words(allowance: Allowance | Service | None) -> str:
    match allowance:
        case Rate(requests, per, burst):
            return f"{requests} a {per}, {burst} at once"
        case Quota(requests, per, window, timezone):
            return f"{requests} a {window} {per} of {timezone}"
        case Service(url, domain):
            return f"as {url} says of {domain}"
    return "unlimited"
