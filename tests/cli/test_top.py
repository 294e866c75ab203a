import json
import os
from pathlib import Path

import pytest

from pointsman.envoy.stats import Measure, Scope
from pointsman.observe.lines import plain
from pointsman.observe.traffic import By, TrafficReport, traffic_json, traffic_lines, traffic_report
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.window import Subject, Window
from tests.cli.conftest import Run
from tests.cli.test_status import instance

NOW = 1_800_000_000.0
EDGE, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")


def report(by: By, over: float = 60) -> TrafficReport:
    window, connections = Window({**dict.fromkeys(Scope, 9), Scope.ROUTE: 1}), Connections()
    edge, cart = Subject(Scope.PROXY, EDGE), Subject(Scope.NODE, EDGE, CART)
    window.add(edge, Measure.ANSWERED_2XX, 59_999, NOW - 10)
    window.add(edge, Measure.ANSWERED_5XX, 1, NOW - 10)
    window.add(edge, Measure.NO_ROUTE, 2, NOW - 10)
    window.add_latencies(edge, {2: 10, 21: 1}, 2000, NOW - 10)
    window.add(cart, Measure.ANSWERED_4XX, 3, NOW - 10)
    connections.report("a", EDGE, {edge: 7, Subject(Scope.NODE, CART, CART): 1}, NOW)
    window.add(Subject(Scope.ROUTE, EDGE, None, None, "shop/a"), Measure.ANSWERED_2XX, 6, NOW - 10)
    window.add(Subject(Scope.ROUTE, EDGE, None, None, "shop/b"), Measure.ANSWERED_2XX, 3, NOW - 10)
    return traffic_report(window, connections, by, over, NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / f"pointsman-{os.getuid()}"
    folder.mkdir(mode=0o700)
    return folder


def test_the_table() -> None:
    assert plain(traffic_lines(report("gateway"))) == (
        "  GATEWAY    REQ/S  4XX  5XX    P50      P90      P99     OPEN  WHAT HAPPENED\n"
        "  shop/edge  1000   -    <0.1%  2.55 ms  2.99 ms  4.78 s  7     no route 2\n"
    )
    assert plain(traffic_lines(report("route", over=30))) == (
        "  ROUTE                REQ/S  4XX  5XX  P50  P90  P99  OPEN  WHAT HAPPENED\n"
        "  shop/a by shop/edge  0.2    -    -    -    -    -    -     -\n"
        "  (others)             0.1    -    -    -    -    -    -     -\n"
    )
    assert "shop/cart  0.05   100%" in plain(traffic_lines(report("node")))
    # The service of the routes is not known.
    assert plain(traffic_lines(report("service"))).splitlines()[1].startswith("  (others)  0.15")


def test_nothing() -> None:
    empty = traffic_report(Window(), Connections(), "node", 60, NOW)
    assert plain(traffic_lines(empty)) == "  no requests in the last 60 s\n"


def test_over_more_than_there_is_counts_for_what_there_is() -> None:
    assert report("gateway", over=90_000).over == 1800


def test_an_instance_is_asked(run: Run, folder: Path) -> None:
    body = json.dumps(traffic_json(report("gateway"))).encode()
    with instance(folder / "4711.sock", body, at="/v1/traffic?by=gateway&over=300"):
        shown = run("top", "--over", "5m")
        as_json = run("top", "--over", "300s", "--json")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == plain(traffic_lines(report("gateway")))
    answer = json.loads(as_json.out)
    assert answer == json.loads(body)
    assert answer["rows"][0]["causes"] == {"no_route": 2}


def test_an_answer_that_is_no_traffic(run: Run, folder: Path) -> None:
    with instance(folder / "4711.sock", b"[]", at="/v1/traffic?by=node&over=60"):
        ended = run("top", "--by", "node")
    assert ended.status == 4
    assert "something that is no traffic" in ended.err


@pytest.mark.parametrize(
    "arguments", [("--over", "4s"), ("--over", "31m"), ("--over", "1h"), ("--by", "path")]
)
def test_what_there_is_not(run: Run, arguments: tuple[str, str]) -> None:
    ended = run("top", *arguments)
    assert ended.status == 2
    assert f"{arguments[0]} {arguments[1]}: not " in ended.err


def test_a_metrics_address_is_an_address(run: Run) -> None:
    ended = run("serve", "mesh.yaml", "--metrics", "host:9600")
    assert (ended.status, ended.out) == (2, "")
    assert "--metrics" in ended.err
