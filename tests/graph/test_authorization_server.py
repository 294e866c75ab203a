"""Where an authorization server stands in the graph, and whom its tokens speak for."""

from typing import Any

from pointsman.graph.intent import decide
from pointsman.graph.link import LinkResult, link
from pointsman.graph.model.gateway import Gateway, Listener
from pointsman.graph.request import Request
from tests.support.manifests import (
    MESH,
    Document,
    document,
    gateway,
    gateway_route,
    node,
    policy,
    resources,
    service,
)
from tests.support.scenes import key

ISSUER = "https://login.test"
HOSTED = (
    gateway_route("shop", {"prefix": "/", "hostname": {"exact": "shop.test"}}, "books"),
    gateway_route("many", {"prefix": "/", "hostname": {"suffix": ".many.test"}}, "books"),
)


def server(name: str, *targets: str, **spec: Any) -> Document:
    return policy("AuthorizationServer", name, *targets, **{"issuer": ISSUER, **spec})


def scene(*more: Document, ports: tuple[int, ...] = (80,)) -> LinkResult:
    listeners = [(port, "http") for port in ports]
    shop = (MESH, gateway(*listeners), node("books", 80), service("books", node="books"))
    return link(resources((*shop, *HOSTED, *more)))


def listeners(result: LinkResult) -> dict[int, Listener]:
    return {item.port: item for item in only(result).listeners}


def only(result: LinkResult) -> Gateway:
    (found,) = result.graph.gateways.values()
    return found


def asked(result: LinkResult, host: str, path: str) -> str | None:
    (listener,) = only(result).listeners
    request = Request("POST", host, path)
    intent = decide(only(result), listener, request)
    return None if intent.front is None else intent.front.server.name


def test_its_host_is_served_even_if_no_route_has_it() -> None:
    result = scene(server("login", "VirtualGateway/gateway"))
    (listener,) = listeners(result).values()
    domains = [str(host.domain) for host in listener.hosts]
    assert domains == ["login.test", "shop.test", "*.many.test"]
    assert asked(result, "login.test", "/oauth2/token") == "login"
    assert asked(result, "login.test:8443", "/x/../oauth2/token") == "login"
    assert asked(result, "shop.test", "/oauth2/token") is None
    assert asked(result, "login.test", "/oauth2/other") is None


def test_a_host_that_a_route_has_is_shared() -> None:
    for issuer in ("https://shop.test/auth", "https://a.many.test/auth"):
        result = scene(server("login", "VirtualGateway/gateway", issuer=issuer))
        (listener,) = listeners(result).values()
        assert len(listener.hosts) == 2
        host = issuer.removeprefix("https://").removesuffix("/auth")
        assert asked(result, host, "/auth/oauth2/token") == "login"
        assert asked(result, host, "/.well-known/oauth-authorization-server/auth") == "login"
        assert asked(result, host, "/oauth2/token") is None


def test_that_of_a_listener_counts_before_that_of_the_gateway() -> None:
    every = server("every", "VirtualGateway/gateway")
    one = server("one", "VirtualGateway/gateway/81", issuer="https://other.test")
    found = listeners(scene(every, one, ports=(80, 81)))
    fronts = {port: item.front and item.front.server.name for port, item in found.items()}
    assert fronts == {80: "every", 81: "one"}


def test_tokens_speak_for_clients_and_for_who_can_log_in() -> None:
    consumers = [document("Consumer", name, {}) for name in ("app", "alice")]
    elsewhere = document("Consumer", "far", {}, namespace="other")
    clients = [{"consumer": {"name": "app"}, "grants": ["clientCredentials"]}]

    def tokens(**spec: Any) -> dict[str, tuple[tuple[str, str], ...]]:
        made = server("login", "VirtualGateway/gateway", clients=clients, **spec)
        found = scene(*consumers, elsewhere, made).graph.consumers
        return {item.name: consumer.tokens for item, consumer in found.items()}

    alice, app = (ISSUER, "shop/alice"), (ISSUER, "shop/app")
    assert tokens() == {"far": (), "alice": (), "app": (app,)}
    assert tokens(login="password") == {"far": (), "alice": (alice,), "app": (app,)}


def test_an_edit_elsewhere_leaves_it_the_same_object() -> None:
    login = server("login", "VirtualGateway/gateway")
    first = scene(login)
    shop = (MESH, gateway((80, "http")), node("books", 80), service("books", node="books"))
    more = gateway_route("more", {"prefix": "/more"}, "books")
    second = link(resources((*shop, *HOSTED, login, more)), previous=first)
    assert second.graph.servers is first.graph.servers
    assert second.graph.servers[key("AuthorizationServer", "login")].issuer == ISSUER


def test_clients_may_change_without_another_route_table() -> None:
    before = scene(server("login", "VirtualGateway/gateway"))
    after = scene(server("login", "VirtualGateway/gateway", scopes=[{"name": "read"}]))
    assert only(before) == only(after)
    assert before.graph.servers != after.graph.servers
