"""Records: what is kept of requests, how many, and for whom they are found."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.envoy import pb
from pointsman.graph.model.graph import Graph
from pointsman.telemetry.requests import (
    MASK,
    Phases,
    Request,
    masked,
    parse_request,
    request_json,
    size,
)
from pointsman.telemetry.requests_decode import LONGEST, decode
from pointsman.telemetry.requests_history import GRAPHS, SETTLING_S, History
from pointsman.telemetry.requests_pace import Pace
from pointsman.telemetry.requests_ring import WAITING, Ring
from pointsman.telemetry.requests_wanted import Wanted, is_status, parse_wanted
from pointsman.xds.snapshot import Snapshot

NODE = "mesh/shop/virtualGateway/front_shop"
SECRET = "hunter2"
REQUEST = Request(
    id="r1",
    start=1000.5,
    node=NODE,
    status=503,
    flags=("UF",),
    route="shop/books/all",
    cluster="cds_egress_shop_books_shop_http_8080",
    consumer="shop/acme",
    duration=750.0,
    phases=Phases(request=0.1, sent=1.5),
)


def entry(**request: str) -> pb.Message:
    """A record of Envoy's with secrets wherever there may be some."""
    message = pb.StreamAccessLogsMessage()
    found = message.http_logs.log_entry.add()
    found.request.request_id = "r1"
    for name, value in request.items():
        setattr(found.request, name, value)
    for name in ("authorization", "cookie", "x-api-key"):
        assert name not in found.request.request_headers
    metadata = found.common_properties.metadata.filter_metadata
    metadata["pointsman"].update({"consumer": "shop/acme", "credential": "k1"})
    metadata["envoy.filters.http.jwt_authn"].update({"token": {"sub": SECRET}})
    return found


def test_secrets_are_left_behind() -> None:
    found = decode(
        entry(path=f"/x;session={SECRET}?key={SECRET}&{SECRET}&a=", referer=SECRET), NODE
    )
    assert found.path == f"/x;{MASK}?key={MASK}&{MASK}&a={MASK}"
    assert (found.consumer, found.credential) == ("shop/acme", "k1")
    assert SECRET not in str(request_json(found))


@given(st.text(st.characters(exclude_characters="&=;?")), st.text(min_size=4))
def test_no_value_of_a_query_is_kept(name: str, value: str) -> None:
    value = f"<{value}>"
    assert value not in masked(f"/path?{name}={value}&{value}&other={value}")


def test_the_original_path_is_the_one_that_counts() -> None:
    assert decode(entry(path="/inside", original_path="/outside"), NODE).path == "/outside"


def test_texts_are_cut() -> None:
    assert len(decode(entry(user_agent="x" * 10_000), NODE).agent) == LONGEST


def test_an_empty_record_is_none_the_less_one() -> None:
    assert decode(pb.StreamAccessLogsMessage().http_logs.log_entry.add(), NODE).status == 0


def test_records_travel() -> None:
    text = str(request_json(REQUEST)).replace("'", '"').replace("None", "null")
    assert parse_request(text) == REQUEST


@pytest.mark.parametrize(
    ("cluster", "target"),
    [
        ("cds_egress_shop_books_shop_http_8080", "books_shop"),
        ("cds_egress_shop_books_shop_grpc_8080_2", "books_shop"),
        ("cds_ingress_shop_books_shop_http2_80", "books_shop"),
        ("cds_egress_other_books_shop_http_8080", ""),
        ("cds_egress_nowhere", ""),
        ("", ""),
    ],
)
def test_the_node_it_went_to(cluster: str, target: str) -> None:
    assert replace(REQUEST, cluster=cluster).target == target


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3000))), st.integers(1, 5))
def test_the_ring_is_bounded(requests: list[tuple[bool, int]], records: int) -> None:
    most = 6_000
    ring = Ring(records, most)
    for number, (failed, length) in enumerate(requests):
        status = 500 if failed else 200
        ring.add(Request(id=str(number), start=0.0, node="", status=status, path="x" * length))
        assert len(ring) <= 2 * records
        assert ring.bytes == sum(map(size, ring)) <= 2 * most
    kept = [int(item.id) for item in ring]
    assert kept == sorted(kept)
    failed_ids = [number for number, (failed, _) in enumerate(requests) if failed]
    kept_failed = [number for number in kept if requests[number][0]]
    assert kept_failed == failed_ids[len(failed_ids) - len(kept_failed) :]


def test_good_requests_do_not_push_out_failed_ones() -> None:
    ring = Ring(records=3)
    ring.add(REQUEST)
    for number in range(100):
        ring.add(Request(id=str(number), start=0.0, node="", status=200))
    assert ring.of("r1") == (REQUEST,)
    assert len(ring) == 4


async def test_a_slow_reader_misses_the_earliest() -> None:
    ring = Ring()
    with ring.looking_on() as coming:
        for number in range(WAITING + 5):
            ring.add(Request(id=str(number), start=0.0, node=""))
        assert (await anext(coming)).id == "5"
        assert ring.missed == 5


async def test_the_end_reaches_who_looks_on() -> None:
    ring = Ring()
    with ring.looking_on() as coming:
        ring.add(REQUEST)
        ring.end()
        assert [item.id async for item in coming] == ["r1"]
    with ring.looking_on() as coming:
        async with asyncio.timeout(5):
            assert [item async for item in coming] == []


def test_who_is_fast_waits() -> None:
    now = 100.0
    pace = Pace(rate=100, burst=50, clock=lambda: now)
    assert pace.owed(50) == 0
    assert pace.owed(100) == pytest.approx(1.0)
    now += 10
    assert pace.owed(50) == 0


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (Wanted(), True),
        (Wanted(route="books"), True),
        (Wanted(route="carts"), False),
        (Wanted(node="front"), True),
        (Wanted(node="front_shop"), True),
        (Wanted(node=NODE), True),
        (Wanted(node="books"), True),
        (Wanted(node="book"), False),
        (Wanted(status="5xx"), True),
        (Wanted(status="503"), True),
        (Wanted(status="404"), False),
        (Wanted(consumer="acme"), True),
        (Wanted(consumer="shop/acme"), True),
        (Wanted(consumer="other/acme"), False),
        (Wanted(slow_ms=750), True),
        (Wanted(slow_ms=751), False),
        (Wanted(since=1000), True),
        (Wanted(since=1001), False),
        (Wanted(request_id="r1"), True),
        (Wanted(request_id="r"), False),
    ],
)
def test_who_is_looked_for_is_found(wanted: Wanted, matches: bool) -> None:
    assert wanted.matches(REQUEST) is matches
    assert parse_wanted(wanted.query()) == wanted


@pytest.mark.parametrize(
    ("text", "good"), [("5xx", True), ("404", True), ("6xx", False), ("4x", False)]
)
def test_what_is_a_status(text: str, good: bool) -> None:
    assert is_status(text) is good


def test_history_knows_what_was_active() -> None:
    history = History()
    graphs = [Graph() for _ in range(GRAPHS + 2)]
    for number, graph in enumerate(graphs):
        history.began(graph, 100.0 * number)
    era, early = history.era_at(950.0), history.era_at(150.0)
    assert era is not None
    assert era.graph is graphs[9]
    assert early is None
    assert history.before(950.0) is None
    before = history.before(900.0 + SETTLING_S)
    assert before is not None
    assert before.graph is graphs[8]


def test_history_knows_versions() -> None:
    history = History()
    history.gave(NODE, Snapshot(), 10.0)
    history.gave(NODE, Snapshot(), 20.0)
    assert history.version_at(NODE, 5.0) == ""
    assert history.version_at(NODE, 15.0) == Snapshot().version
    history.keep([])
    assert history.version_at(NODE, 15.0) == ""
