"""Recorded requests against the configuration of their time."""

from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.app.offline import load
from pointsman.graph.model.graph import Graph
from pointsman.observe.decided import decided, decided_lines
from pointsman.observe.lines import plain
from pointsman.observe.why import passages, why_json, why_lines
from pointsman.telemetry.requests import Request
from pointsman.telemetry.requests_history import History

EXAMPLES = Path(__file__).parents[2] / "examples"
REQUEST = Request(
    id="r1",
    start=1000.0,
    node="mesh/shop/virtualGateway/entrance_shop",
    way="in",
    port=8088,
    method="GET",
    scheme="http",
    authority="localhost:8088",
    path="/catalog/shoes",
    status=200,
    route="shop/catalog/canary",
)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load([str(EXAMPLES / "quickstart")], {}, {}).linked.graph


def test_the_route_told_is_the_one_decided(graph: Graph) -> None:
    found = decided(REQUEST, graph)
    assert found is not None
    assert found.agrees
    assert found.share is not None
    text = plain(decided_lines(REQUEST, found))
    assert "because gateway route shop/catalog matches (prefix /catalog)" in text
    assert "header x-tester is absent" in text


def test_what_a_header_decided_that_is_not_recorded_is_said(graph: Graph) -> None:
    request = replace(REQUEST, route="shop/catalog/testers")
    found = decided(request, graph)
    assert found is not None
    assert not found.agrees
    assert "a header or a value of the query that is not recorded" in plain(
        decided_lines(request, found)
    )


@pytest.mark.parametrize(
    ("port", "authority"),
    [
        (8080, "color.shop.svc.cluster.local:8080"),
        (8080, "color.shop.svc.cluster.local"),
        (15001, "color.shop.svc.cluster.local:8080"),
    ],
)
def test_what_an_application_sends(port: int, authority: str) -> None:
    mesh = load([str(EXAMPLES / "mesh")], {}, {}).linked.graph
    request = Request(
        id="r2",
        start=1000.0,
        node="mesh/shop/virtualNode/front_shop",
        way="out",
        port=port,
        method="GET",
        authority=authority,
        path="/",
        route="color.shop.svc.cluster.local/all",
    )
    found = decided(request, mesh)
    assert found is not None
    assert found.agrees
    assert found.share is not None
    assert "shop/color-v1" in plain(decided_lines(request, found))


@pytest.mark.parametrize(
    "changes", [{"node": "mesh/shop/virtualGateway/gone"}, {"port": 1}, {"node": "odd"}]
)
def test_nothing_is_said_of_what_is_not_there(graph: Graph, changes: dict[str, object]) -> None:
    assert decided(replace(REQUEST, **changes), graph) is None  # type: ignore[arg-type]


def test_directly_after_a_change_the_one_before_may_count(graph: Graph) -> None:
    history = History()
    history.began(graph, 500.0)
    history.began(Graph(), 999.0)
    (found,) = passages([REQUEST], history)
    assert found.earlier
    assert found.decision is not None
    assert "had just changed" in plain(why_lines([found]))
    assert why_json([found])["proxies"][0]["earlierConfiguration"] is True
    (late,) = passages([replace(REQUEST, start=2000.0)], history)
    assert late.decision is None
    (early,) = passages([replace(REQUEST, start=1.0)], history)
    assert early.decision is None
    assert "not known any more" in plain(why_lines([early]))
