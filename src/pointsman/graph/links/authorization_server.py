"""AuthorizationServer: what is read of it, and where it stands in the way of others."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Policies, Target
from pointsman.graph.memo import Memo
from pointsman.graph.model.authorization_server import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    AuthorizationServer,
    Client,
    Front,
)
from pointsman.graph.model.gateway import ANY_HOST, Domain, DomainKind, GatewayRule, VirtualHost
from pointsman.graph.model.match import PathKind
from pointsman.resources.codes import access as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.authorization_server import (
    AuthorizationServerSpec,
    Lifetimes,
    OAuthClient,
    Signing,
)
from pointsman.resources.kinds.base import Duration
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet

KIND: Final = "AuthorizationServer"
Servers = Mapping[Key, AuthorizationServer]
_ACCESS_S: Final = 600
_REFRESH_S: Final = 30 * 86_400
_IDLE_S: Final = 7 * 86_400
_CODE_S: Final = 60
_SESSION_S: Final = 3_600
_ROTATE_S: Final = 30 * 86_400
_GRANTS: Final = {
    "clientCredentials": CLIENT_CREDENTIALS,
    "authorizationCode": AUTHORIZATION_CODE,
    "refreshToken": REFRESH_TOKEN,
}


def read_servers(resources: ResourceSet, memo: Memo) -> Servers:
    """All of them, by key. Of two with one issuer the first by namespace and name has it."""
    found: dict[Key, AuthorizationServer] = {}
    owners: dict[str, Key] = {}
    for key, resource in sorted(resources.of(KIND).items()):
        owner = owners.setdefault(resource.spec.issuer, key)
        result = _link(resources, resource, owner, memo)
        if result.value is not None:
            found[key] = result.value
    servers: Servers = memo.get("authorization servers", (found,), lambda: found)
    return servers


def _link(
    resources: ResourceSet, resource: Resource[AuthorizationServerSpec], owner: Key, memo: Memo
) -> Linked[AuthorizationServer | None]:
    key, spec = resource.key, resource.spec
    findings = Findings(key)
    if owner != key:
        message = f"{owner} has the issuer {spec.issuer} and comes first"
        findings.add(codes.SAME_ISSUER, ("spec", "issuer"), message, "give it another path")
    for index, client in enumerate(spec.clients):
        consumer = _consumer(client, key)
        if resources.get(consumer) is None:
            path = ("spec", "clients", index, "consumer")
            findings.add(codes.NO_CLIENT, path, f"there is no {consumer}")
    problems = tuple(findings.problems)

    def build() -> Linked[AuthorizationServer | None]:
        return linked(_read(key, spec) if owner == key else None, [*problems])

    result: Linked[AuthorizationServer | None] = memo.get(
        ("authorization server", key), (spec, problems), build
    )
    return result


def _read(key: Key, spec: AuthorizationServerSpec) -> AuthorizationServer:
    times = spec.lifetimes or Lifetimes()
    signing = spec.signing or Signing()
    return AuthorizationServer(
        front=Front(key, spec.issuer),
        access_s=_seconds(times.access_token, _ACCESS_S),
        refresh_s=_seconds(times.refresh_token, _REFRESH_S),
        idle_s=_seconds(times.refresh_token_idle, _IDLE_S),
        code_s=_seconds(times.code, _CODE_S),
        session_s=_seconds(times.session, _SESSION_S),
        audiences=spec.audiences or (spec.issuer,),
        scopes=tuple((scope.name, scope.description) for scope in spec.scopes),
        algorithm=signing.algorithm,
        rotate_s=_seconds(signing.rotate_every, _ROTATE_S),
        clients=tuple(_client(key, spec, client) for client in spec.clients),
        logins=spec.login is not None,
    )


def _seconds(length: Duration | None, usual: int) -> int:
    return usual if length is None else length.ms // 1000


def _consumer(client: OAuthClient, home: Key) -> Key:
    return Key("Consumer", client.consumer.namespace or home.namespace, client.consumer.name)


def _client(key: Key, spec: AuthorizationServerSpec, client: OAuthClient) -> Client:
    return Client(
        consumer=_consumer(client, key),
        grants=tuple(_GRANTS[grant] for grant in client.grants),
        redirects=client.redirect_uris,
        scopes=client.scopes or tuple(scope.name for scope in spec.scopes),
        audiences=client.audiences or spec.audiences or (spec.issuer,),
        public=client.public,
        introspects=client.introspect,
    )


def front_of(policies: Policies, servers: Servers, gateway: Key, port: int) -> Front | None:
    """The authorization server that is asked at a listener."""
    found = policies.effective(KIND, (Target(gateway, str(port)), Target(gateway)))
    server = None if found is None else servers.get(found.origins[0].policy)
    return None if server is None else server.front


def with_front(hosts: tuple[VirtualHost, ...], front: Front | None) -> tuple[VirtualHost, ...]:
    """Virtual hosts of a listener, with one for the authorization server if no other serves it."""
    if front is None or any(_serves(host.domain, front.host) for host in hosts):
        return hosts
    own = VirtualHost(Domain(DomainKind.EXACT, front.host), ())
    return tuple(sorted((*hosts, own), key=lambda host: host.domain))


def _serves(domain: Domain, host: str) -> bool:
    if domain.kind is DomainKind.SUFFIX:
        return len(host) > len(domain.value) and host.endswith(domain.value)
    return domain == ANY_HOST or domain.value == host


def check_front(front: Front | None, hosts: Iterable[VirtualHost]) -> Iterator[Problem]:
    """Gateway routes for paths that the authorization server answers, whatever they say."""
    if front is None:
        return
    paths, below = frozenset(front.paths), (front.base, front.discovery)
    for host in hosts:
        if _serves(host.domain, front.host):
            found = (rule for rule in host.rules if _is_for(paths, below, rule))
            yield from (_clash(front, rule) for rule in found)


def _is_for(paths: frozenset[str], below: tuple[str, str], rule: GatewayRule) -> bool:
    """Whether a route is for the paths of an authorization server and next to nothing else."""
    path = rule.match.path
    if path.kind is PathKind.EXACT:
        return path.value in paths
    return path.kind is PathKind.PREFIX and f"{path.value.rstrip('/')}/".startswith(below)


def _clash(front: Front, rule: GatewayRule) -> Problem:
    message = f"{front.server} answers {rule.match.path.value} of {front.host} itself"
    hint = "choose another path, or give the issuer one"
    return Problem(codes.OAUTH_PATH, message, hint, rule.key, ("spec",))
