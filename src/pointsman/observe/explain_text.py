"""A routing decision as a person would tell it: a sentence, a table, and why not elsewhere."""

from collections.abc import Iterable, Iterator
from typing import Final

from pointsman.envoy import names
from pointsman.graph.intent import Intent, Own, Rejected, Share
from pointsman.graph.judge import Recognise
from pointsman.graph.request import Request
from pointsman.graph.taken import refusal
from pointsman.observe.access import Where, refusal_lines, verdict, verdict_lines
from pointsman.observe.conditions import describe_match
from pointsman.observe.effects import effects_lines, seconds
from pointsman.observe.explain import (
    client_status,
    endpoints,
    nearer_candidates,
    overall_status,
    percent,
    turned_away,
)
from pointsman.observe.hygiene import body_lines, hygiene_lines
from pointsman.observe.limits import charge_lines, charged
from pointsman.observe.lines import Line, Piece, line, table
from pointsman.observe.versions import version_line


def explain_lines(
    intent: Intent, request: Request, url: str, recognise: Recognise, where: Where
) -> Iterator[Line]:
    """The decision for a request.

    Args:
        intent: the decision.
        request: the request as it arrives.
        url: the URL as it was given.
        recognise: tells whose credentials are.
        where: tells where policies were written.
    """
    yield line(Piece(f"{request.method} {url}", "strong"))
    if intent.front is not None:
        server = Piece(intent.front.server.path, "name")
        yield line("is answered by authorization server ", server, " before any gateway route")
        yield line(f"because {intent.front.issuer} is its issuer, and no access policy is asked.")
        return
    verdicts = [verdict(intent, share, recognise) for share in intent.shares or (None,)]
    away = turned_away(verdicts)
    not_taken = refusal(intent, request)
    if not_taken is not None:
        yield line("is answered ", status_piece(not_taken.status, request), *_by(intent))
        yield from hygiene_lines(not_taken, where)
        yield line("Were it taken, it")
    if away is not None:
        yield line("is answered ", status_piece(away, request), *_by(intent))
        yield from refusal_lines(verdicts, where)
        yield line("Were it let through, it")
    if len(intent.shares) == 1:
        yield from _single(intent, intent.shares[0], request)
    elif intent.shares:
        yield from _split(intent, request)
    else:
        yield line("is answered ", status_piece(overall_status(intent), request), *_by(intent))
        yield line(f"because {_why_no_service(intent, request)}.")
    if intent.rule is not None and intent.rule.version is not None:
        yield version_line(intent.rule.version)
    yield from target_table(intent.shares)
    yield from limit_lines(intent.shares)
    for index, found in enumerate(verdicts if away is None else ()):
        if found not in verdicts[:index]:
            yield from verdict_lines(found, where)
    yield from body_lines(intent, where)
    shares = intent.shares or (None,)
    charges = [charged(intent, *item) for item in zip(shares, verdicts, strict=True)]
    for each in dict.fromkeys(charges):
        yield from charge_lines(each, where)
    yield from rejected_table(intent.rejected)


def _single(intent: Intent, share: Share, request: Request) -> Iterator[Line]:
    status = share.status
    if status is not None:
        yield line("is answered ", status_piece(status, request), *_by(intent))
        yield line("because ", *rule_words(intent), ",")
        yield line("but ", *reason_words(share), ".")
    else:
        yield line("is answered by ", *node_words(share), ", which sees")
        yield from _seen(share, "    ")
        yield line("because ", *rule_words(intent), ",")
        yield line("and ", *route_words(share), ".")


def _split(intent: Intent, request: Request) -> Iterator[Line]:
    yield line("is split between virtual services")
    yield line("because ", *rule_words(intent), ":")
    for share in intent.shares:
        status = share.status
        service = Piece(share.service.key.path, "name")
        yield line(f"  {_percent(percent(share))} for virtual service ", service)
        if status is not None:
            yield line("    answered ", status_piece(status, request), *_by(intent))
            yield line("    because ", *reason_words(share))
        else:
            yield line("    answered by ", *node_words(share), ", which sees")
            yield from _seen(share, "        ")
            yield line("    because ", *route_words(share))


def _seen(share: Share, indent: str) -> Iterator[Line]:
    request = share.request
    yield line(indent, Piece(f"{request.method} {request.target}", "good"))
    yield line(indent, Piece(f"host: {request.authority}", "good"))


def status_piece(status: Own, request: Request) -> Piece:
    """What a client sees."""
    seen, grpc_status = client_status(status, request)
    grpc = "" if grpc_status is None else f" with grpc-status {grpc_status}"
    return Piece(f"{seen}{grpc}", "error")


def _by(intent: Intent) -> tuple[str | Piece, ...]:
    return (" by virtual gateway ", Piece(intent.gateway.key.path, "name"), " itself")


def _why_no_service(intent: Intent, request: Request) -> str:
    if intent.status == 400:
        return _why_malformed(intent)
    if intent.rule is not None and intent.status == 410:
        return f"gateway route {intent.rule.key.path} matches, and its version is retired"
    if intent.rule is not None:
        why = "all its weights are 0" if intent.rule.targets else "errors leave it without target"
        return f"gateway route {intent.rule.key.path} matches, but {why}"
    if intent.host is None:
        return f"no gateway route serves host {request.host} on port {intent.listener.port}"
    if str(intent.host.domain) == "*":
        return "no gateway route matches"
    return f"no gateway route for host {intent.host.domain} matches"


def _why_malformed(intent: Intent) -> str:
    if intent.rule is not None:
        return intent.rejected[-1].clause
    return "Envoy takes no such path: it is not ASCII, or has a fragment or %00"


def rule_words(intent: Intent) -> tuple[str | Piece, ...]:
    """Which gateway route matched."""
    rule = intent.rule
    if rule is None:
        return ()
    conditions = describe_match(rule.match, rule.domain)
    return ("gateway route ", Piece(rule.key.path, "name"), f" matches ({conditions})")


def route_words(share: Share) -> tuple[str | Piece, ...]:
    """Which route matched."""
    service, route = share.service, share.route
    if route is None or service.router is None or route.name is None:
        return (
            "virtual service ",
            Piece(service.key.path, "name"),
            " is provided by a virtual node",
        )
    return (
        "of virtual router ",
        Piece(service.router.path, "name"),
        " the route ",
        Piece(route.name, "name"),
        f" matches ({describe_match(route.match)})",
    )


def reason_words(share: Share) -> tuple[str | Piece, ...]:
    """Why Envoy has to answer a share itself."""
    service = Piece(share.service.key.path, "name")
    if share.abort is not None:
        return (*route_words(share), " and a policy fails all its requests on purpose")
    if share.route is None and share.service.routes:
        target = f"{share.request.method} {share.request.target}"
        return ("no route of virtual service ", service, f" matches what is left: {target}")
    if share.route is None:
        return ("virtual service ", service, " has no route")
    nodes = [item.cluster.node.path for item in share.targets if item.weight]
    if not nodes:
        return (*route_words(share), " and none of its targets has a weight")
    return (*route_words(share), f" and no endpoint of {' or '.join(nodes)} is known")


def node_words(share: Share) -> tuple[str | Piece, ...]:
    """Nodes that answer, with their shares."""
    shown: list[str | Piece] = []
    chosen = [item for item in share.targets if item.weight]
    for index, item in enumerate(chosen):
        if index:
            shown.append(" or " if index == len(chosen) - 1 else ", ")
        shown.append(Piece(item.cluster.node.path, "name"))
        shown.append(f" ({_percent(percent(share, item))})")
    return ("virtual node " if len(chosen) == 1 else "one of virtual nodes ", *shown)


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + " %"


def target_table(shares: Iterable[Share]) -> Iterator[Line]:
    """Where requests go, with weights and endpoints."""
    rows = [
        (
            item.cluster.node.path,
            str(item.weight),
            _percent(percent(share, item)),
            ", ".join(endpoints(item.cluster)) or "none known (503)",
            names.cluster(item.cluster),
        )
        for share in shares
        for item in share.targets
    ]
    if rows:
        yield line()
        yield from table(("VIRTUAL NODE", "WEIGHT", "SHARE", "ENDPOINTS", "CLUSTER"), rows)


def limit_lines(shares: Iterable[Share]) -> Iterator[Line]:
    """Timeouts, retries, and what policies do."""
    shares = tuple(shares)
    said = dict.fromkeys(_limit(share) for share in shares if share.route is not None)
    if said:
        yield line()
    for text in said:
        yield line("  ", text)
    effects = [text for share in shares for text in effects_lines(share.route)]
    for text in dict.fromkeys(effects):
        yield line("  ", text)


def _limit(share: Share) -> str:
    if share.route is None:
        return ""
    times, retry = share.route.timeouts, share.route.retry
    request = f"{seconds(times.request_ms)} s" if times.request_ms else "none"
    idle = "" if times.idle_ms is None else f", {_idle(times.idle_ms)}"
    if retry.max_retries == 0:
        return f"timeout {request}{idle}; no retries"
    each = "" if not retry.per_retry_ms else f" of {seconds(retry.per_retry_ms)} s each"
    events = ", ".join((*retry.events, *map(str, retry.statuses)))
    return f"timeout {request}{idle}; up to {retry.max_retries} retries{each} on {events}"


def _idle(idle_ms: int) -> str:
    return f"idle {seconds(idle_ms)} s" if idle_ms else "idle without limit"


MOST_REJECTED: Final = 20
"""Rows of what was tried before; a gateway may have tried thousands."""


def rejected_table(rejected: Iterable[Rejected]) -> Iterator[Line]:
    """What was tried before, and why it does not match: of many, those whose path matches first."""
    tried = nearer_candidates(rejected)
    nearest = tried
    if len(tried) > MOST_REJECTED:
        nearest = tuple(sorted(tried, key=lambda item: item.clause.startswith("path ")))
    rows = [
        (
            f"gateway route {item.key.path}"
            if item.route is None
            else f"route {item.route} of {item.key.path}",
            item.clause,
        )
        for item in nearest[:MOST_REJECTED]
    ]
    if rows:
        yield line()
        yield from table(("TRIED BEFORE", "WHY NOT"), rows)
    if len(tried) > MOST_REJECTED:
        yield line(f"  and {len(tried) - MOST_REJECTED:,} more, which --json has")
