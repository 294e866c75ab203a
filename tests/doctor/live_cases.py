"""What a running instance may have seen: each kind of trouble, and a twin in which all is well."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pointsman.doctor.check import Symptom
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding
from pointsman.doctor.live import Live
from pointsman.envoy.stats import BUCKETS_MS, LATENCIES, WIDTH, Measure, Scope
from pointsman.graph.link import link
from pointsman.observe.status import ProxyStatus, TypeStatus
from pointsman.resources.key import Key
from pointsman.resources.store import Store
from pointsman.telemetry.requests import Phases, Request
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import Subject
from tests.doctor.case import BASE, node, policy, routed

EDGE = "mesh/m/virtualGateway/edge_shop"
CART_PROXY = "mesh/m/virtualNode/cart_shop"
GATEWAY, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")
CART_2, SERVICE = Key("VirtualNode", "shop", "cart-2"), Key("VirtualService", "shop", "cart")
CLUSTER, ROUTE = "cds_egress_m_cart_shop_http_8080", "shop/all/main"
ENDPOINT = "10.0.0.7:8080"

SHOP = routed(
    "{name: main, httpRoute: {match: {prefix: /}, action: {weightedTargets: "
    "[{virtualNodeRef: {name: cart}, weight: 1}]}}}"
)
CHECKED = routed(
    "{name: main, httpRoute: {match: {prefix: /}, action: {weightedTargets: "
    "[{virtualNodeRef: {name: cart}, weight: 1}]}}}",
    nodes=node(
        "cart",
        "healthCheck: {protocol: http, path: /, healthyThreshold: 2, unhealthyThreshold: 2, "
        "timeoutMillis: 2000, intervalMillis: 5000}",
    ),
)
POOLED = routed(
    "{name: main, httpRoute: {match: {prefix: /}, action: {weightedTargets: "
    "[{virtualNodeRef: {name: cart}, weight: 1}]}}}",
    nodes=node("cart", "connectionPool: {http: {maxConnections: 10}}"),
)
SPLIT = routed(
    "{name: main, httpRoute: {match: {prefix: /}, action: {weightedTargets: "
    "[{virtualNodeRef: {name: cart}, weight: 90}, {virtualNodeRef: {name: cart-2}, weight: 10}]}}}",
    nodes=node("cart") + node("cart-2"),
)
FAULTY = SHOP + policy(
    "RoutePolicy",
    "tests",
    "{targetRefs: [{kind: VirtualService, name: cart}], fault: {delay: "
    "{duration: {unit: s, value: 2}, percent: 50}, abort: {httpStatus: 503, percent: 50}}}",
)

GOOD = Request(
    id="r",
    start=0.0,
    node=EDGE,
    way="in",
    port=8088,
    method="GET",
    authority="shop.example",
    path="/cart",
    status=200,
    details="via_upstream",
    route=ROUTE,
    cluster=CLUSTER,
    endpoint=ENDPOINT,
    duration=5.0,
    phases=Phases(request=0.1, sent=0.2, sent_whole=0.3, answered=4.0, returned=4.1),
)
LOST = replace(GOOD, route="", cluster="", endpoint="", phases=Phases())
SLOW = replace(GOOD, duration=3000.0)


@dataclass(frozen=True)
class LiveCase:
    """Something that was seen.

    Attributes:
        check: code of what is to be found, first of all.
        name: what was seen, in a word or two.
        says: what the message says, in part.
        bad: what shows it.
        good: what does not.
        text: the manifests.
    """

    check: str
    name: str
    says: str
    bad: Live
    good: Live
    text: str = SHOP


def examined(text: str, live: Live, symptom: Symptom | None = None) -> tuple[Finding, ...]:
    """Everything that is found."""
    store = Store({})
    store.replace("mesh.yaml", BASE + text)
    result = link(store.resources())
    problems = tuple(map(store.locate, (*store.problems(), *result.problems)))
    return diagnose(Evidence(store.resources(), result.graph, problems, live), symptom)


def some(request: Request, count: int = 5, **changes: Any) -> tuple[Request, ...]:
    """The request several times, each with an id of its own."""
    one = replace(request, **changes)
    return tuple(replace(one, id=f"{one.id}{i}") for i in range(count))


def seen(*requests: Request, **more: Any) -> Live:
    """Requests of a mesh whose gateway has a proxy."""
    connected = (ProxyStatus(node=EDGE, gateway="shop/edge"),)
    return Live(
        requests=requests, **{"proxies": connected, "gateways": frozenset({GATEWAY})} | more
    )


WELL = seen(*some(GOOD))


def flagged(check: str, says: str, flag: str, status: int = 503, **changes: Any) -> LiveCase:
    """Requests with a flag; two of them are too few to speak of."""
    text = changes.pop("text", SHOP)
    bad = replace(GOOD, flags=(flag,), status=status, **changes)
    return LiveCase(check, f"{flag} {says}", says, seen(*some(bad)), seen(*some(bad, 2)), text)


def refused(check: str, says: str, status: int, details: str) -> LiveCase:
    """Requests that are answered by a policy."""
    bad = replace(GOOD, status=status, details=details, cluster="", endpoint="")
    return LiveCase(check, f"{status} {details}", says, seen(*some(bad)), seen(*some(bad, 2)))


def counted(counts: Mapping[Subject, int], **more: int) -> dict[Subject, Traffic]:
    """Traffic of so many requests that went well, with further measures for each."""
    found = {}
    for subject, count in counts.items():
        numbers = [0] * WIDTH
        numbers[Measure.ANSWERED_2XX] = count
        for name, number in more.items():
            numbers[Measure[name.upper()]] = number
        found[subject] = Traffic(tuple(numbers))
    return found


def timed(ms: int, count: int = 100) -> dict[Subject, Traffic]:
    """Requests to the cart that took about so long."""
    numbers = [0] * WIDTH
    numbers[Measure.ANSWERED_2XX] = count
    numbers[LATENCIES[BUCKETS_MS.index(ms)]] = count
    return {Subject(Scope.NODE, GATEWAY, CART, SERVICE): Traffic(tuple(numbers))}


def taken(ms: int, *requests: Request) -> Live:
    """The cart's proxy took ten requests a second for ten minutes, each of so many ms."""
    numbers = [0] * WIDTH
    numbers[Measure.ANSWERED_2XX] = numbers[LATENCIES[0]] = 6000
    numbers[Measure.LATENCY_MS] = 6000 * ms
    proxies = tuple(
        ProxyStatus(node=node, gateway=name)
        for node, name in ((EDGE, "shop/edge"), (CART_PROXY, "shop/cart"))
    )
    traffic = {Subject(Scope.PROXY, CART): Traffic(tuple(numbers))}
    return seen(*requests, proxies=proxies, traffic=traffic)


def shared(first: int, second: int) -> dict[Subject, Traffic]:
    """So many requests to each of the two carts."""
    return counted(
        {
            Subject(Scope.NODE, GATEWAY, CART, SERVICE): first,
            Subject(Scope.NODE, GATEWAY, CART_2, SERVICE): second,
        }
    )


def phases(**changes: float) -> Phases:
    """Where the time of a slow request went."""
    return replace(GOOD.phases, **changes)


_FLAGS = (
    flagged("U02", "nobody listens", "UF", failure="delayed_connect_error:_Connection_refused"),
    flagged("U02", "does not answer attempts", "UF", failure="connection timeout"),
    flagged("U02", "no connection to", "UF", failure="network unreachable"),
    flagged("U02", "TLS with", "UF", failure="TLS_error:|1:2:SSL routines:OPENSSL_internal:OTHER"),
    flagged("U02", "not trusted", "UF", failure="TLS_error:CERTIFICATE_VERIFY_FAILED"),
    flagged(
        "U12",
        "expired",
        "UF",
        failure="TLS_error:CERTIFICATE_VERIFY_FAILED:verify cert failed: certificate has expired",
    ),
    flagged("U20", "speaks plaintext", "UF", failure="TLS_error:WRONG_VERSION_NUMBER"),
    flagged("U20", "asks for one", "UF", failure="TLS_error:TLSV1_ALERT_CERTIFICATE_REQUIRED"),
    flagged("U01", "no address of it is known", "UH"),
    flagged("U01", "passes the health check", "UH", text=CHECKED),
    flagged("U01", "has no address", "DF"),
    flagged("U03", "ends the connection", "UC"),
    flagged("U03", "ends the connection", "UR", 502),
    flagged("R07", "not the protocol", "UPE", 502),
    flagged("L06", "pool is full", "UO"),
    flagged("U05", "does not have", "NC"),
    flagged("U06", "does not answer within 15000 ms", "UT", 504),
    flagged("U06", "nothing moved", "SI", 504),
    flagged("U06", "the proxy itself", "LR"),
    flagged("U19", "not HTTP", "DPE", 400),
    flagged("L12", "overloaded", "OM"),
    flagged("U16", "used up", "RL", 429),
    flagged("U16", "cannot be asked", "RLSE", 429),
    flagged("U17", "refused 403", "UAEX", 403),
    flagged("U17", "cannot be asked", "UAEX", 403, details="ext_authz_error"),
    flagged("U22", "fails them on purpose", "FI", text=FAULTY),
    refused("U17", "refused 401", 401, "jwt_authn_access_denied{Jwt_is_missing}"),
    refused("U17", "refused 403", 403, "rbac_access_denied_matched_policy[none]"),
    refused("U19", "bodies are larger", 413, "request_payload_too_large"),
    refused("U19", "headers are larger", 431, "request_headers_too_large"),
    refused("R10", "no route of the virtual service", 404, "direct_response"),
    refused("R04", "leads to nothing", 503, "direct_response"),
)
"""By flags, and by details alone."""

CASES: tuple[LiveCase, ...] = (
    *_FLAGS,
    LiveCase("L05", "a narrow pool", "has 7 requests under way", taken(700), taken(300), POOLED),
    LiveCase(
        "U21",
        "its own errors",
        "answers 500 itself",
        seen(*some(GOOD, status=500)),
        seen(*some(GOOD, 2, status=500)),
    ),
    LiveCase(
        "R09",
        "its own 404",
        "answers 404 itself",
        seen(*some(GOOD, status=404)),
        seen(*some(GOOD, 2, status=404)),
    ),
    LiveCase(
        "R20",
        "no route",
        "no gateway route takes them",
        seen(*some(LOST, status=404, flags=("NR",), path="/lost")),
        WELL,
    ),
    LiveCase(
        "R24",
        "no backend",
        "none of its backends",
        seen(*some(LOST, status=404, flags=("NR",), node=CART_PROXY, way="out")),
        WELL,
    ),
    LiveCase(
        "U01",
        "ejected",
        "were ejected",
        seen(
            *some(GOOD, status=503, flags=("UH",)),
            traffic=counted({Subject(Scope.NODE, GATEWAY, CART): 100}, ejection=1),
        ),
        WELL,
    ),
    LiveCase(
        "L08",
        "a slow application",
        "until the first byte of the answer",
        seen(*some(SLOW, phases=phases(answered=2900.0))),
        seen(*some(SLOW, 2, phases=phases(answered=2900.0))),
    ),
    LiveCase(
        "L07",
        "slow to connect",
        "until they are connected",
        seen(
            *some(
                SLOW, phases=phases(connect=2500.0, sent=2500.0, sent_whole=2500.0, answered=2900.0)
            )
        ),
        WELL,
    ),
    LiveCase(
        "L17",
        "a slow upload",
        "come from the client",
        seen(*some(SLOW, phases=phases(request=2900.0, sent_whole=2900.0, answered=2950.0))),
        WELL,
    ),
    LiveCase(
        "L17",
        "a slow download",
        "go there",
        seen(*some(SLOW, phases=phases(answered=10.0))),
        WELL,
    ),
    LiveCase(
        "L08",
        "slower than before",
        "and 3 ms before",
        seen(traffic=timed(300), before=timed(3)),
        seen(traffic=timed(5), before=timed(3)),
    ),
    LiveCase(
        "L09",
        "retries",
        "was tried again",
        seen(traffic=counted({Subject(Scope.NODE, GATEWAY, CART): 100}, retry=20)),
        seen(traffic=counted({Subject(Scope.NODE, GATEWAY, CART): 100}, retry=2)),
    ),
    LiveCase(
        "U22",
        "delays",
        "delayed on purpose",
        seen(*some(GOOD, flags=("DI",))),
        seen(*some(GOOD)),
        FAULTY,
    ),
    LiveCase(
        "R19",
        "another share",
        "gets 50 % of the requests",
        seen(traffic=shared(500, 500), steady=True),
        seen(traffic=shared(890, 110), steady=True),
        SPLIT,
    ),
    LiveCase(
        "R19",
        "weights that moved",
        "gets 50 % of the requests",
        seen(traffic=shared(500, 500), steady=True),
        seen(traffic=shared(500, 500)),
        SPLIT,
    ),
    LiveCase("U13", "no proxy", "is connected", seen(proxies=()), WELL),
    LiveCase(
        "R22",
        "rejected",
        "rejects its newest listener",
        seen(
            proxies=(
                ProxyStatus(
                    node=EDGE, gateway="shop/edge", types=(TypeStatus(type="listener", error="no"),)
                ),
            )
        ),
        WELL,
    ),
)
