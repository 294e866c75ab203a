"""The virtual hosts of a gateway's listener, and rules that stand in each other's way."""

from collections.abc import Iterable, Iterator

from pointsman.graph.links.context import Context
from pointsman.graph.links.gateway_routes import body_of
from pointsman.graph.links.linked import Linked
from pointsman.graph.model.gateway import (
    Domain,
    DomainKind,
    GatewayRule,
    VirtualHost,
)
from pointsman.graph.model.match import RequestMatch, precedence
from pointsman.resources.codes import routing
from pointsman.resources.key import Key
from pointsman.resources.problem import Code, Problem


def link_hosts(
    context: Context, listener: tuple[Key, int], rules: tuple[GatewayRule, ...]
) -> tuple[VirtualHost, ...]:
    """The hosts that the rules of a listener form; each is remembered by itself."""
    by_domain: dict[Domain, list[GatewayRule]] = {}
    for rule in rules:
        by_domain.setdefault(rule.domain, []).append(rule)
    return tuple(
        _host(context, listener, domain, by_domain[domain], _wider(domain, by_domain))
        for domain in sorted(by_domain)
    )


def _host(
    context: Context,
    listener: tuple[Key, int],
    domain: Domain,
    rules: list[GatewayRule],
    wider: Domain | None,
) -> VirtualHost:
    def build() -> Linked[VirtualHost]:
        ordered = tuple(sorted(rules, key=_order))
        problems = (*_twins(context, ordered), *_isolation(context, domain, ordered[0], wider))
        return Linked(VirtualHost(domain, ordered), problems)

    result: Linked[VirtualHost] = context.memo.get(
        (*listener, domain), (tuple(rules), wider), build
    )
    return result.value


def _order(rule: GatewayRule) -> tuple[object, ...]:
    return precedence(rule.priority, rule.match, rule.key.path)


def _wider(domain: Domain, others: Iterable[Domain]) -> Domain | None:
    """The nearest domain whose rules the hosts of a domain would see without it."""
    found = [other for other in others if other != domain and _covers(other, domain)]
    return max(found, key=lambda other: len(other.value), default=None)


def _covers(wide: Domain, narrow: Domain) -> bool:
    if wide.kind is DomainKind.ANY:
        return True
    return (
        wide.kind is DomainKind.SUFFIX
        and narrow.kind is not DomainKind.ANY
        and narrow.value.endswith(wide.value)
        and (narrow.kind is DomainKind.SUFFIX or len(narrow.value) > len(wide.value))
    )


def _twins(context: Context, rules: tuple[GatewayRule, ...]) -> Iterator[Problem]:
    first: dict[RequestMatch, GatewayRule] = {}
    for rule in rules:
        twin = first.setdefault(rule.match, rule)
        if twin is not rule:
            message = f"the route is never reached: {twin.key} has the same match"
            yield _problem(context, routing.SAME_MATCH, rule, (), message, "remove one of them")


def _isolation(
    context: Context, domain: Domain, rule: GatewayRule, wider: Domain | None
) -> Iterator[Problem]:
    if wider is None:
        return
    others = "without a hostname" if wider.kind is DomainKind.ANY else f"of {wider}"
    message = f"{domain} no longer sees the routes {others}"
    hint = "repeat those that should serve it too"
    yield _problem(context, routing.HOST_ISOLATION, rule, ("hostname",), message, hint)


def _problem(
    context: Context,
    code: Code,
    rule: GatewayRule,
    path: tuple[str, ...],
    message: str,
    hint: str,
) -> Problem:
    route = context.resources.get(rule.key)
    # A rule may outlive its object's good version, or its kind of route.
    field = (body_of(route.spec)[0],) if route is not None else ()
    where = ("spec", *field, "match", *path) if field else ()
    return Problem(code, message, hint, key=rule.key, path=where)
