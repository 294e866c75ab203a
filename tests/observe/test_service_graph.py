"""Who calls whom, from manifests and from what was counted."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pointsman.app import offline
from pointsman.envoy.stats import Measure, Scope
from pointsman.graph.model.graph import Graph
from pointsman.observe.lines import plain
from pointsman.observe.service_graph import (
    Link,
    ServiceGraph,
    Vertex,
    graph_json,
    parse_graph,
)
from pointsman.observe.service_graph_svg import graph_svg
from pointsman.observe.service_graph_text import graph_dot, graph_lines
from pointsman.observe.service_links import counted, service_graph
from pointsman.resources.key import Key
from pointsman.telemetry.window import Subject, Window

EXAMPLES = Path(__file__).parents[2] / "examples"
FRONT, COLOR = Key("VirtualNode", "shop", "front"), Key("VirtualService", "shop", "color")
V1, DB = Key("VirtualNode", "shop", "color-v1"), Key("VirtualService", "shop", "db")
NOW = 10_000.0


@pytest.fixture(scope="module")
def graph() -> Graph:
    return offline.load([str(EXAMPLES / "mesh")], {}, {}).linked.graph


def link(known: ServiceGraph, source: str, target: str) -> Link:
    (found,) = (
        item
        for item in known.links
        if (str_of(item.source), str_of(item.target)) == (source, target)
    )
    return found


def str_of(vertex: Vertex) -> str:
    return f"{vertex.kind} {vertex.name}"


def test_a_table(graph: Graph) -> None:
    assert plain(graph_lines(service_graph(graph))) == (
        "  FROM                   TO                  SHARE\n"
        "  gateway shop/entrance  service shop/front  -\n"
        "  node shop/color-v1     service shop/db     -      connections\n"
        "  node shop/color-v2     service shop/db     -      connections\n"
        "  node shop/front        service shop/color  -\n"
        "  service shop/color     node shop/color-v1  -\n"
        "  service shop/color     node shop/color-v2  -\n"
        "  service shop/db        node shop/db        100%   connections\n"
        "  service shop/front     node shop/front     100%\n"
    )


def test_numbers_stand_where_they_belong(graph: Graph) -> None:
    window = Window()

    def count(subject: Subject, measure: Measure, amount: int) -> None:
        window.add(subject, measure, amount, NOW)

    color = Subject(Scope.ROUTE, FRONT, service=COLOR, route="color.shop/v1")
    count(color, Measure.ANSWERED_2XX, 8)
    count(color, Measure.ANSWERED_5XX, 2)
    count(Subject(Scope.NODE, FRONT, V1, COLOR), Measure.ANSWERED_2XX, 9)
    count(Subject(Scope.NODE, V1, Key("VirtualNode", "shop", "db"), DB), Measure.CONNECTION, 3)
    count(Subject(Scope.NODE, FRONT, V1, None), Measure.ANSWERED_2XX, 4)
    known = counted(service_graph(graph), window, 10, NOW + 5)

    called = link(known, "node shop/front", "service shop/color").numbers
    assert called is not None
    assert (called.requests, called.failures) == (10, 2)
    led = link(known, "service shop/color", "node shop/color-v1").numbers
    assert led is not None
    assert led.requests == 9
    for source, target in (
        ("node shop/color-v1", "service shop/db"),
        ("service shop/db", "node shop/db"),
    ):
        tcp = link(known, source, target)
        assert tcp.numbers is not None
        assert (tcp.manner, tcp.numbers.requests) == ("tcp", 3)
    several = link(known, "node shop/front", "node shop/color-v1")
    assert several.numbers is not None
    assert (several.manner, several.numbers.requests) == ("several", 4)
    assert link(known, "gateway shop/entrance", "service shop/front").numbers is None
    assert parse_graph(json.dumps(graph_json(known))) == known
    rows = plain(graph_lines(known)).splitlines()
    assert "  node shop/front        service shop/color  -      1      20%  -    -" in rows


def test_a_picture_shows_every_vertex_and_link_once(graph: Graph) -> None:
    known = service_graph(graph)
    root = ET.fromstring(graph_svg(known))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{svg}g/{svg}rect")) == len(known.vertices)
    assert len(root.findall(f"{svg}g/{svg}path")) == len(known.links)


def test_what_people_named_is_no_markup() -> None:
    hostile = Vertex("node", '<script>"&\\')
    known = ServiceGraph(vertices=(hostile, Vertex("service", "b")), links=())
    root = ET.fromstring(graph_svg(known))
    assert "".join(root.itertext()).count("<script>") == 2
    assert '"node <script>\\"&\\\\" [label="<script>\\"&\\\\", shape=box];' in graph_dot(known)


def test_nothing_to_show_is_said() -> None:
    assert "neither" in plain(graph_lines(ServiceGraph()))
    assert ET.fromstring(graph_svg(ServiceGraph())) is not None
