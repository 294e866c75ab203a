"""Virtual hosts: rules as rows of Envoy's route tables."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from pointsman.envoy import names, pb
from pointsman.envoy.actions import NameOf, duration, forward, retry_policy
from pointsman.envoy.effects import effects_of_route
from pointsman.envoy.filters.hygiene import hygienic, refused_methods, refused_paths
from pointsman.envoy.filters.login import cookies_of_host
from pointsman.envoy.guards import guarded, login_rows
from pointsman.envoy.matchers import Fields, route_match
from pointsman.envoy.names import PATH_HEADER, SECOND_PASS_HEADER
from pointsman.envoy.oauth_front import front_rows
from pointsman.envoy.traces import tracing_of_route
from pointsman.envoy.versions import gone, of_version
from pointsman.graph.compose import Step, compose, refused, takes_tunnels, tunnels, whole_steps
from pointsman.graph.effects import overridden
from pointsman.graph.model.gateway import (
    Gateway,
    GatewayRule,
    Listener,
    ServiceTarget,
    VirtualHost,
    hygiene_of,
)
from pointsman.graph.model.guards import NO_GUARDS, Guards, nearest
from pointsman.graph.model.match import HeaderCondition, HeaderTest, RequestMatch
from pointsman.graph.model.route import DEFAULT_RETRY, Route, Service

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class SecondPass:
    """A target of a rule whose service's routes have to be matched after the rewrite.

    Attributes:
        rule: the rule.
        index: which of its targets; a service may be there twice, by two of its ports.
        guards: what stands before the rule.
    """

    rule: GatewayRule
    index: int
    guards: Guards = NO_GUARDS

    @property
    def service(self) -> Service:
        """The target's service."""
        return self.rule.targets[self.index].service

    @property
    def guards_routes(self) -> bool:
        """Whether the second pass guards: routes have guards of their own, unknown in the first."""
        return any(route.guards is not NO_GUARDS for route in self.service.routes)

    @property
    def mark(self) -> str:
        """Tells the second pass which target was chosen."""
        return names.second_pass_mark(self.rule, self.index)


@dataclass(frozen=True, slots=True)
class Table:
    """A virtual host in Envoy's words.

    Attributes:
        message: `envoy.config.route.v3.VirtualHost`.
        second_passes: what it leaves to the second pass.
    """

    message: pb.Message
    second_passes: tuple[SecondPass, ...]


def service_host(service: Service, name: str, domains: list[str], name_of: NameOf) -> pb.Message:
    """A virtual service as a sidecar's application calls it.

    Args:
        service: the service.
        name: of the virtual host.
        domains: hosts by which the application may call it.
        name_of: what the proxy calls clusters.
    """
    routes = [
        _row(names.service_route(service, route), route.match, {}, route, name_of=name_of)
        for route in service.routes
    ]
    return pb.VirtualHost(
        name=name, domains=domains, routes=routes, retry_policy=retry_policy(DEFAULT_RETRY)
    )


def virtual_host(
    gateway: Gateway, listener: Listener, host: VirtualHost, name: str, *, fronted: bool = False
) -> Table:
    """One host's rules, in order.

    Args:
        gateway: the gateway.
        listener: the listener.
        host: the host.
        name: of the virtual host.
        fronted: whether the listener's authorization server is asked there.
    """
    builder = _Builder(names.second_pass_cluster(gateway, listener), listener)
    routes = [row for rule in host.rules for row in builder.rule(rule)]
    if listener.extras.tunnels:
        routes += [row for rule in host.rules for row in builder.tunnels(rule)]
    logins = [*login_rows(builder.guards.values())]
    front = [*front_rows(listener, host)] if fronted else []
    message = pb.VirtualHost(
        name=name,
        domains=[str(host.domain)],
        routes=[*refused_paths(listener.hygiene), *front, *logins, *routes],
        typed_per_filter_config=cookies_of_host() if logins or front else {},
        retry_policy=retry_policy(DEFAULT_RETRY),
    )
    return Table(message, tuple(builder.second_passes))


def second_pass_host(passes: tuple[SecondPass, ...]) -> pb.Message:
    """The virtual host of the second pass: every service's routes on the rewritten request."""
    routes: list[Fields] = []
    for item in passes:
        marker = HeaderCondition(SECOND_PASS_HEADER, HeaderTest.EXACT, item.mark)
        for route in item.service.routes:
            match = replace(route.match, headers=(marker, *route.match.headers))
            guards = nearest(route.guards, item.guards) if item.guards_routes else NO_GUARDS
            row = _rule_row(item.rule, match, {}, route)
            routes.extend(guarded(row, guards, PATH_HEADER))
        rest = _rule_row(item.rule, RequestMatch(headers=(marker,)), {}, None)
        guards = item.guards if item.guards_routes else NO_GUARDS
        routes.extend(guarded(rest, guards, PATH_HEADER))
    paths = [PATH_HEADER] if any(item.guards_routes for item in passes) else []
    return pb.VirtualHost(
        name="second_pass",
        domains=["*"],
        routes=routes,
        request_headers_to_remove=[SECOND_PASS_HEADER, *paths],
        retry_policy=retry_policy(DEFAULT_RETRY),
    )


class _Builder:
    """Builds the rows of one virtual host."""

    def __init__(self, second_pass_cluster: str, listener: Listener) -> None:
        self._listener = listener
        self.guards: dict[int, Guards] = {}
        self.second_passes: list[SecondPass] = []
        self._second_pass_cluster = second_pass_cluster

    def rule(self, rule: GatewayRule) -> Iterator[Fields]:
        """Rows of one rule: all shares of all services, and nothing falls through."""
        hygiene = hygiene_of(self._listener, rule)
        first = {"name": names.route(rule, None), "match": route_match(rule.match)}
        rows = chain(
            refused_methods(first, hygiene), (hygienic(row, hygiene) for row in self._rows(rule))
        )
        yield from (of_version(row, rule.version) for row in rows)

    def _rows(self, rule: GatewayRule) -> Iterator[Fields]:
        targets = _reached(rule)
        if not targets:
            yield from guarded(_unreached(rule), self._before(rule))
            return
        refusal = refused(rule)
        if refusal is not None:
            yield _respond(names.route(rule, None), route_match(refusal), 400)
        for index, target, fraction in _shares(targets):
            yield from self._target(rule, index, target, fraction)

    def tunnels(self, rule: GatewayRule) -> Iterator[Fields]:
        """Rows of one rule for CONNECT requests."""
        if takes_tunnels(rule):
            yield from (of_version(row, rule.version) for row in self._tunnels(rule))

    def _tunnels(self, rule: GatewayRule) -> Iterator[Fields]:
        targets = _reached(rule)
        if not targets:
            yield from guarded(_tunnel(_unreached(rule)), self._before(rule))
        for _, target, fraction in _shares(targets):
            for step in tunnels(rule, target.service):
                row = _tunnel(_rule_row(rule, step.match, {}, step.route, fraction))
                yield from guarded(row, self._before(rule, step.route))

    def _before(self, rule: GatewayRule, route: Route | None = None) -> Guards:
        """What stands before a route of a rule, or before the rule's own answers."""
        own = NO_GUARDS if route is None else route.guards
        found = nearest(own, rule.guards, self._listener.guards)
        if found is not NO_GUARDS:
            self.guards[id(found)] = found
        return found

    def _target(
        self, rule: GatewayRule, index: int, target: ServiceTarget, fraction: int | None
    ) -> Iterator[Fields]:
        steps = compose(rule, target.service)
        if steps is None:
            second_pass = SecondPass(rule, index, self._before(rule))
            self.second_passes.append(second_pass)
            guards = NO_GUARDS if second_pass.guards_routes else second_pass.guards
            for step in whole_steps(rule):
                yield from guarded(self._to_second_pass(second_pass, step, fraction), guards)
            return
        for step in steps:
            rewrites = _rewrites(rule, target.service, step)
            row = _rule_row(rule, step.match, rewrites, step.route, fraction)
            yield from guarded(row, self._before(rule, step.route))

    def _to_second_pass(self, second_pass: SecondPass, step: Step, fraction: int | None) -> Fields:
        action = {
            "cluster": self._second_pass_cluster,
            # The second pass has the route's own limits.
            "timeout": duration(0),
            "idle_timeout": duration(0),
            "retry_policy": {},
            **_rewrites(second_pass.rule, second_pass.service, step),
        }
        override = second_pass.rule.override
        traced = tracing_of_route(override.effects.trace_percent if override else None)
        marks = {SECOND_PASS_HEADER: second_pass.mark}
        if second_pass.guards_routes:
            marks[PATH_HEADER] = "%REQ(:PATH)%"
        return {
            "name": names.route(second_pass.rule, None),
            "match": _match(step.match, fraction),
            "route": action,
            **traced,
            "request_headers_to_add": [
                {
                    "header": {"key": name, "value": value},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
                for name, value in marks.items()
            ],
        }


def _reached(rule: GatewayRule) -> list[tuple[int, ServiceTarget]]:
    """The targets that get requests, with their places in the rule."""
    if rule.version is not None and rule.version.retired:
        return []
    return [item for item in enumerate(rule.targets) if item[1].weight]


def _unreached(rule: GatewayRule) -> Fields:
    """What a rule answers whose requests reach nobody."""
    name, match = names.route(rule, None), route_match(rule.match)
    if rule.version is not None and rule.version.retired:
        return gone(name, match, rule.version)
    return _respond(name, match, 503)


def _shares(
    targets: list[tuple[int, ServiceTarget]],
) -> Iterator[tuple[int, ServiceTarget, int | None]]:
    """Targets with their fractions, see `_match`; None for the rest."""
    total = sum(target.weight for _, target in targets)
    taken = 0
    for index, target in targets:
        taken += target.weight
        yield index, target, None if taken == total else round(taken * MILLION / total)


def _tunnel(row: Fields) -> Fields:
    """A row for CONNECT requests only, whose bytes go on as they are."""
    match = {name: value for name, value in row["match"].items() if name != "prefix"}
    changed = {**row, "match": {**match, "connect_matcher": {}}}
    if "route" in row:
        end_here = [{"upgrade_type": "CONNECT", "connect_config": {}}]
        changed["route"] = {**row["route"], "upgrade_configs": end_here}
    return changed


def _rewrites(rule: GatewayRule, service: Service, step: Step) -> Fields:
    fields: Fields = {}
    if step.path is not None:
        fields["prefix_rewrite"] = step.path
    if rule.rewrite.host:
        fields["host_rewrite_literal"] = service.name
    return fields


def _rule_row(
    rule: GatewayRule,
    match: RequestMatch,
    rewrites: Fields,
    route: Route | None,
    fraction: int | None = None,
) -> Fields:
    """A row of a gateway route, with all that its own policy and the route's say.

    What no route takes, the proxy answers as it would without policies.
    """
    if route is None:
        return _respond(names.route(rule, None), _match(match, fraction), 404)
    name = names.route(rule, route)
    return _row(name, match, rewrites, overridden(route, rule.override), fraction)


def _row(
    name: str,
    match: RequestMatch,
    rewrites: Fields,
    route: Route,
    fraction: int | None = None,
    name_of: NameOf = names.cluster,
) -> Fields:
    effects = effects_of_route(route.effects)
    if not any(target.weight for target in route.targets):
        return {**_respond(name, _match(match, fraction), 503), **effects}
    action = forward(route, name_of)
    action.update(rewrites)
    return {
        "name": name,
        "stat_prefix": names.route_stat(name),
        "match": _match(match, fraction),
        "route": action,
        **effects,
    }


def _match(match: RequestMatch, fraction: int | None) -> Fields:
    """The conditions, and the share of requests up to `fraction` millionths.

    Envoy draws one random number a request and compares it with every row's fraction, so
    ascending fractions split the requests exactly.
    """
    fields = route_match(match)
    if fraction is not None:
        share = {"numerator": fraction, "denominator": "MILLION"}
        fields["runtime_fraction"] = {"default_value": share}
    return fields


def _respond(name: str, match: Fields, status: int) -> Fields:
    return {"name": name, "match": match, "direct_response": {"status": status}}
