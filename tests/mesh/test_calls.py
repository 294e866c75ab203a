"""An application that knows nothing of proxies is routed by its manifests, through two of them."""

import pytest

from tests.mesh.conftest import COLOR, DB, Mesh
from tests.support.up import until

pytestmark = [pytest.mark.netns, pytest.mark.envoy, pytest.mark.xdist_group("mesh")]

EGRESS = "http.egress.8080.downstream_rq_total"
INGRESS = ("http.ingress.downstream_rq_total", "http.ingress.http.8080.downstream_rq_total")


def test_headers_choose_the_version(mesh: Mesh) -> None:
    front, red = mesh["front"], mesh["red"]
    through = [(front, (EGRESS,)), (red, INGRESS)]
    before = [place.count(*names) for place, names in through]
    answers = [front.ask(COLOR, headers={"color": "red"}) for _ in range(5)]
    assert [answer.short for answer in answers] == [(200, "red")] * 5
    assert [place.count(*names) for place, names in through] == [count + 5 for count in before]
    # The application sees its own proxy, on loopback.
    assert {answer.body["client"] for answer in answers} == {"::ffff:127.0.0.1"}


def test_without_the_header_both_machines_of_the_other_version_answer(mesh: Mesh) -> None:
    front = mesh["front"]
    machines = [mesh["blue-1"], mesh["blue-2"]]
    before = sum(place.count(*INGRESS) for place in machines)
    answers = [front.ask(COLOR) for _ in range(10)]
    assert {answer.short for answer in answers} == {(200, "blue-1"), (200, "blue-2")}
    assert sum(place.count(*INGRESS) for place in machines) == before + 10


def test_a_server_that_speaks_first_is_heard_through_both_proxies(mesh: Mesh) -> None:
    front, red = mesh["front"], mesh["red"]
    counters = ("tcp.egress.3306.downstream_cx_total", "tcp.ingress.tcp.9000.downstream_cx_total")
    before = front.count(counters[0]), red.count(counters[1])
    assert front.greeted(DB, 3306) == "red"
    assert (front.count(counters[0]), red.count(counters[1])) == (before[0] + 1, before[1] + 1)


def test_what_comes_from_outside_meets_the_limits_of_the_node(mesh: Mesh) -> None:
    outside, red = mesh["outside"], mesh["red"]
    before = red.count(*INGRESS)
    address = red.namespace.ipv4
    assert outside.ask(address).short == (200, "red")
    held = outside.ask(address, path="/held")
    assert (held.status, held.body) == (504, "upstream request timeout")
    assert red.count(*INGRESS) == before + 2


def test_what_comes_from_outside_meets_the_pool_of_the_node(mesh: Mesh) -> None:
    outside, red = mesh["outside"], mesh["red"]
    address = red.namespace.ipv4
    outside.do("load", host=address, port=8080, path="/held", threads=6)
    # One request at a time reaches the application, one waits, more are turned away.
    until(lambda: red.count("upstream_rq_pending_overflow") > 0)
    assert red.count("cds_ingress_shop_red_shop_http_8080.upstream_cx_active") == 1
    results = outside.do("stop")
    assert {result.split()[0] for result in results} == {"503", "504"}


def test_who_dials_a_name_of_no_backend_reaches_nobody(mesh: Mesh) -> None:
    assert mesh["red"].ask(COLOR).short == (0, "")
