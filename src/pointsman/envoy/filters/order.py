"""Which HTTP filters a listener has, in the order requests meet them; responses go backwards.

| filter                    | why here                                                          |
|---------------------------|-------------------------------------------------------------------|
| compressor                | outermost, so that it compresses what all others have answered    |
| pointsman.limit_headers   | calls the limits' headers otherwise, on the way back              |
| cors                      | answers preflight requests, which carry no credentials and which  |
|                           | no backend and no fault should see                                |
| pointsman.taken           | takes headers from callers that a server will write; first of all,|
|                           | so that nothing goes by them                                      |
| pointsman.body            | turns long bodies away before anything waits for them             |
| pointsman.sources         | turns addresses away before they can guess at credentials         |
| pointsman.limits_before   | counts by address, guesses at credentials, too; so before these,  |
|                           | but behind addresses that are turned away and use nothing up      |
| pointsman.keys            | proves who calls; all that follows goes by it                     |
| pointsman.passwords       | the same                                                          |
| pointsman.opaque          | the same, by asking; leaves claims for the rules                  |
| pointsman.login_back      | looks at where a login leads, on the way back                     |
| pointsman.login           | has sessions; leaves an ID token to the filter of signed tokens   |
| pointsman.tokens          | the same; leaves claims for the rules                             |
| pointsman.issued          | the same for tokens of our own, whose keys come by themselves     |
| pointsman.session         | keeps cookies of sessions, which were read by now, from backends  |
| pointsman.session_cookies | the second half of it                                             |
| pointsman.subject         | names what a token or a certificate says of itself                |
| pointsman.subjects        | looks up whose it is, so it follows what it looks up              |
| pointsman.identity        | takes apart what the tables said                                  |
| pointsman.identity_headers| writes it down for rules, limits and backends                     |
| pointsman.demanded        | what a token has to have; before rules, which hold for all ways in|
| pointsman.when            | evaluates expressions of rules, which may look at all of it       |
| pointsman.denied          | denial wins, so it goes first                                     |
| pointsman.allowed         | what is left has to be allowed                                    |
| pointsman.external        | asks a server; last, since what rules turn away needs no asking   |
| pointsman.limits          | counts who may call, and nobody who may not                       |
| pointsman.schemas         | compares bodies by asking, so it comes when all else is settled   |
| pointsman.oauth           | answers for the authorization server, whatever limits let through |
| pointsman.admission       | sheds load, of what was let through so far                        |
| pointsman.concurrency     | the same                                                          |
| fault                     | fails what was good so far, before anything is spent on it        |
| dynamic_forward_proxy     | looks up the host of requests that pass, just before it is needed |
| router                    | sends the request on, so nothing behind it would ever run         |

A filter that acts for some routes only is in those listeners only which have such a route, and
there does nothing for the others.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from pointsman.envoy import pb
from pointsman.envoy.filters import (
    challenge,
    cors,
    credentials,
    external,
    fault,
    hygiene,
    identity,
    issued,
    limit_replies,
    limits,
    login,
    login_back,
    oauth,
    opaque,
    rules,
    schemas,
    tokens,
)
from pointsman.envoy.filters.compressor import compressors
from pointsman.envoy.filters.hygiene import BodyLimit
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.guards import Use, uses
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.graph.model.effects import NO_EFFECTS, Effects
from pointsman.graph.model.gateway import GatewayRule, Listener, hygiene_of
from pointsman.graph.model.guards import Guards, nearest
from pointsman.graph.model.hygiene import BodySchemas, Hygiene
from pointsman.graph.model.listener import Compression
from pointsman.graph.model.methods import External, LoginMethod, OpaqueMethod, TokenMethod
from pointsman.graph.model.route import Service

_Build = Callable[[Collection[Use], Wire], list[Fields]]
"""Builds the filter of a row of the table, or several where each policy has its own."""


def _alone(build: Callable[[], Fields]) -> _Build:
    return lambda _used, _wire: [build()]


def _table(name: str) -> _Build:
    return lambda _used, wire: [credentials.table_filter(name, wire)]


def _rules(name: str) -> _Build:
    return lambda _used, _wire: [rules.rules_filter(name)]


def _tokens(used: Collection[Use], _wire: Wire) -> list[Fields]:
    return [tokens.token_filter(use for use in _signed(used) if not issued.is_issued(use))]


def _issued(used: Collection[Use], wire: Wire) -> list[Fields]:
    return [issued.issued_filter((use for use in _signed(used) if issued.is_issued(use)), wire)]


def _signed(used: Collection[Use]) -> Iterator[TokenMethod]:
    return (use for use in used if isinstance(use, TokenMethod))


def _limits(*, before: bool) -> _Build:
    return lambda used, wire: limits.limit_filters(used, wire, before=before)


def _opaque(used: Collection[Use], _wire: Wire) -> list[Fields]:
    return [opaque.opaque_filter(use for use in used if isinstance(use, OpaqueMethod))]


def _logins(used: Collection[Use], wire: Wire) -> list[Fields]:
    return login.login_filters((use for use in used if isinstance(use, LoginMethod)), wire)


def _bodies(used: Collection[Use], _wire: Wire) -> list[Fields]:
    return hygiene.body_filters(use for use in used if isinstance(use, BodyLimit))


def _shedding(used: Collection[Use], _wire: Wire) -> list[Fields]:
    found = [use for use in used if isinstance(use, Hygiene)]
    return [item for use in found for item in hygiene.shedding_filters(use)]


def _schemas(used: Collection[Use], _wire: Wire) -> list[Fields]:
    return schemas.schema_filters(use for use in used if isinstance(use, BodySchemas))


def _externals(used: Collection[Use], _wire: Wire) -> list[Fields]:
    return external.external_filters(use for use in used if isinstance(use, External))


_BY_ROUTE: dict[str, _Build] = {
    limit_replies.TELLING: _alone(limit_replies.telling_filter),
    cors.NAME: _alone(cors.cors_filter),
    external.TAKEN: _alone(external.taken_filter),
    hygiene.BODY: _bodies,
    rules.SOURCES: _rules(rules.SOURCES),
    limits.BEFORE: _limits(before=True),
    credentials.KEYS: _table(credentials.KEYS),
    credentials.PASSWORDS: _table(credentials.PASSWORDS),
    opaque.NAME: _opaque,
    login_back.NAME: _alone(login_back.back_filter),
    login.NAME: _logins,
    tokens.NAME: _tokens,
    issued.NAME: _issued,
    login.SESSION: _alone(login.session_filter),
    login.COOKIES: _alone(login.cookies_filter),
    identity.SUBJECT: _alone(identity.subject_filter),
    credentials.SUBJECTS: _table(credentials.SUBJECTS),
    identity.SPLIT: _alone(identity.split_filter),
    identity.HEADERS: _alone(identity.headers_filter),
    rules.DEMANDED: _rules(rules.DEMANDED),
    rules.WHEN: _alone(rules.when_filter),
    rules.DENIED: _rules(rules.DENIED),
    rules.ALLOWED: _rules(rules.ALLOWED),
    external.NAME: _externals,
    limits.AFTER: _limits(before=False),
    schemas.NAME: _schemas,
    oauth.NAME: _alone(oauth.oauth_filter),
    hygiene.SHEDDING: _shedding,
    fault.NAME: _alone(fault.fault_filter),
}


def http_filters(
    used: Collection[Use] = (),
    compression: Compression | None = None,
    forward: Fields | None = None,
    wire: Wire = "delta",
) -> list[Fields]:
    """`http_filters` of a connection manager.

    Args:
        used: what its routes need.
        compression: which responses it compresses.
        forward: the filter that looks up hosts, if requests pass to any.
        wire: how the proxy gets what filters refer to.
    """
    filters = [] if compression is None else compressors(compression)
    for name, build in _BY_ROUTE.items():
        if name in used:
            filters += build(used, wire)
    if forward is not None:
        filters.append(forward)
    return [*filters, {"name": "envoy.filters.http.router", "typed_config": pb.pack(pb.Router())}]


def asks(used: Collection[Use]) -> bool:
    """Whether routes ask who calls, or may turn a caller away for something else than a limit."""
    return any(use not in _OF_OTHERS and not isinstance(use, _VALUES_OF_OTHERS) for use in used)


_OF_OTHERS = (
    *(cors.NAME, fault.NAME, limits.BEFORE, limits.AFTER, limit_replies.TELLING),
    *(hygiene.BODY, schemas.NAME, hygiene.SHEDDING),
)
_VALUES_OF_OTHERS = (Counter, BodyLimit, BodySchemas, Hygiene)


def replies(used: Collection[Use]) -> Fields:
    """What a connection manager says of those whom filters turn away."""
    limited = any(isinstance(use, Counter) for use in used)
    asked = asks(used)
    if not limited and not asked:
        return {}
    return {"local_reply_config": challenge.local_replies(limited=limited, asked=asked)}


def configured(effects: Effects) -> dict[str, pb.Message]:
    """`typed_per_filter_config` of a route: what its filters do for it."""
    found: dict[str, pb.Message] = {}
    if effects.cors is not None:
        found[cors.NAME] = pb.pack(cors.cors_of_route(effects.cors))
    if effects.fault is not None:
        found[fault.NAME] = pb.pack(fault.fault_of_route(effects.fault))
    return found


def used_by_rules(listener: Listener, rules: Iterable[GatewayRule]) -> frozenset[Use]:
    """What gateway routes of a listener need, with all that they lead to."""
    found: set[Use] = set()
    # By identity, for many routes share what is before them, and comparing it is dear.
    guards: dict[int, Guards] = {}
    for rule in rules:
        outer = nearest(rule.guards, listener.guards)
        found.update(hygiene.body_uses(hygiene_of(listener, rule)))
        guards[id(outer)] = outer
        if rule.override is not None:
            found.update(_names(rule.override.effects))
        for target in rule.targets:
            found |= used_by_service(target.service)
            for route in target.service.routes:
                own = nearest(route.guards, outer)
                guards[id(own)] = own
    for item in guards.values():
        found.update(uses(item))
    return frozenset(found)


def used_by_service(service: Service) -> frozenset[Use]:
    """What a service's routes need where nobody is asked who calls."""
    return frozenset(name for route in service.routes for name in _names(route.effects))


def _names(effects: Effects) -> Iterator[str]:
    if effects is not NO_EFFECTS:
        if effects.cors is not None:
            yield cors.NAME
        if effects.fault is not None:
            yield fault.NAME
