"""What proxies count reaches `pointsman top`: the numbers are those of what was sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.mesh import ask_as
from tests.support.up import Up, ask, free_port, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-traffic")]

LIMIT = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "RateLimitPolicy",
    "metadata": {"name": "few", "namespace": m.NAMESPACE},
    "spec": {
        "targetRefs": [{"kind": "GatewayRoute", "name": "books"}],
        "limits": [{"name": "few", "rate": {"requests": 10, "per": "hour"}}],
    },
}


def hasty(name: str) -> list[dict[str, Any]]:
    """A service that has 50 ms."""
    service, router = m.routed(name, **{name: 1})
    limit = {"perRequest": {"unit": "ms", "value": 50}}
    router["spec"]["routes"][0]["httpRoute"]["timeout"] = limit
    router["spec"]["routes"][0]["httpRoute"]["retryPolicy"] = {
        "maxRetries": 0,
        "perRetryTimeout": {"unit": "ms", "value": 0},
    }
    return [service, router]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("traffic")
    books, caller = m.shop("books"), m.node("caller")
    caller["spec"]["backends"] = [
        {"virtualService": {"virtualServiceRef": {"name": name}}} for name in ("books", "dead")
    ]
    slow = [m.route("slow"), *hasty("slow"), m.node("slow")]
    objects = (m.mesh(), m.gateway("front", 8088), *books, *m.shop("dead"), *slow, caller, LIMIT)
    (folder / "mesh.yaml").write_text(m.text(*objects))
    dead = f"dead.shop.svc.cluster.local:8080=127.0.0.1:{free_port()}"
    with running(folder, "--echo", "--mesh", "--listen", "8088=0", "--resolve", dead) as up:
        yield up


NONE: dict[str, Any] = {"requests": 0, "connections": 0}


def rows(up: Up, by: str) -> dict[tuple[str, str], dict[str, Any]]:
    shown = json.loads(up.command("top", "--json", "--over", "30m", "--by", by))
    assert (shown["by"], shown["over"]) == (by, 1800)
    return {(row["name"], row["proxy"]): row for row in shown["rows"]}


def counted(up: Up, by: str, name: str, proxy: str = "") -> dict[str, Any]:
    return rows(up, by).get((name, proxy), NONE)


def test_what_was_sent_is_what_was_counted(up: Up) -> None:
    address = up.address("front")
    assert [ask(address, "/books").status for _ in range(7)] == [200] * 7
    for status in (301, 404, 500):
        assert ask(address, "/books", {"x-echo-status": str(status)}).status == status
    assert [ask(address, "/books").status for _ in range(4)] == [429] * 4
    assert [ask(address, "/dead").status for _ in range(3)] == [503] * 3
    assert ask(address, "/slow", {"x-echo-delay-ms": "500"}).status == 504
    assert ask(address, "/nowhere").status == 404

    def arrived() -> bool:
        front = counted(up, "gateway", "shop/front")
        return bool(front["requests"] == 7 + 3 + 4 + 3 + 1 + 1)

    until(arrived, 20)
    front = counted(up, "gateway", "shop/front")
    assert front["classes"] == [0, 7, 1, 6, 5]
    assert (front["causes"]["limited"], front["causes"]["no_route"]) == (4, 1)
    books = counted(up, "route", "shop/books", "shop/front")
    assert (books["requests"], books["classes"]) == (10, [0, 7, 1, 1, 1])
    assert 0 < books["p50"] <= books["p90"] <= books["p99"]
    assert counted(up, "service", "shop/books")["requests"] == 10
    slow = counted(up, "route", "shop/slow/all", "shop/front")
    assert (slow["requests"], slow["classes"][4], slow["causes"]) == (1, 1, {"timeout": 1})
    node = counted(up, "node", "shop/slow")
    assert (node["requests"], node["causes"]["timeout"]) == (1, 1)
    dead = counted(up, "node", "shop/dead")
    # App Mesh's own policy tries each of them twice again.
    assert dead["classes"] == [0, 0, 0, 0, 3]
    assert dead["causes"] == {"connect_failure": 9, "retry": 6}


def test_sidecars_count_what_they_take_and_what_they_send(up: Up) -> None:
    assert [ask_as(up, "caller", "books.shop:8080").status for _ in range(5)] == [200] * 5
    until(lambda: counted(up, "route", "books.shop", "shop/caller")["requests"] == 5, 20)
    # Each proxy reports by itself, every five seconds.
    until(lambda: counted(up, "gateway", "shop/books")["requests"] == 15, 20)
    assert counted(up, "service", "shop/books")["requests"] == 15
    assert counted(up, "node", "shop/books")["connections"] > 0


def test_who_calls_whom_and_how_it_goes(up: Up) -> None:
    shown = json.loads(up.command("graph", "--over", "30m", "--json"))
    assert shown["over"] == 1800
    links = {
        (link["source"]["name"], link["target"]["name"], link["target"]["kind"]): link["numbers"]
        for link in shown["links"]
    }
    assert links["shop/front", "shop/books", "service"]["requests"] == 10
    assert links["shop/caller", "shop/books", "service"]["requests"] == 5
    node = links["shop/books", "shop/books", "node"]
    assert (node["requests"], node["failures"]) == (15, 1)
    assert 0 < node["p50"] <= node["p99"]
    assert links["shop/caller", "shop/dead", "service"] is None
    drawn = up.command("graph", "--over", "30m", "--svg")
    assert "33.3% 5xx" not in drawn
    assert "6.67% 5xx" in drawn


def test_a_table_for_people(up: Up) -> None:
    assert ask(up.address("front"), "/nowhere").status == 404
    until(lambda: "shop/front" in up.command("top", "--over", "30m"), 20)
    head, *found = up.command("top", "--over", "30m").splitlines()
    assert head.split()[:4] == ["GATEWAY", "REQ/S", "4XX", "5XX"]
    assert any("no route" in row for row in found)
