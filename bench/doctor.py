"""What `pointsman doctor` takes for 10,000 gateway routes: `python -m bench.doctor [COUNT]`.

Everything in one process and without files: reading, linking, then diagnosing. The tables differ
in what the search for hidden routes can go by: many small ones, one of prefixes, one where only a
header tells routes apart, one of expressions, and one where half of all routes are hidden.

The first one is diagnosed once more as a running instance would be: with as many recorded requests
as are kept, half of them failed, and with traffic of as many routes and nodes as the window has.
"""

import gc
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice

from bench.manifests import HEAD, SERVICE, route_file
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.live import Live
from pointsman.envoy import names
from pointsman.envoy.stats import WIDTH, Scope
from pointsman.graph.link import link
from pointsman.resources.store import Store
from pointsman.telemetry.requests import Phases, Request
from pointsman.telemetry.requests_ring import RECORDS
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import MOST, Subject

ROUNDS = 5
SERVICES = 100
ROUTE = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata: {{name: route-{n}, namespace: big}}
spec:
  {priority}httpRoute:
    match: {{{match}}}
    action: {{target: {{virtualService: {{virtualServiceRef: {{name: service-{service}}}}}}}}}
"""
HEADER = "prefix: /, headers: [{{name: x-tenant, match: {{exact: tenant-{n}}}}}]"

PATTERN = "prefix: /, headers: [{{name: x-tenant, match: {{regex: 'tenant-{n}-.*'}}}}]"


def one_host(count: int, match: str, *, hidden: bool = False) -> list[str]:
    """Routes of one host; hidden ones come in pairs, the wider of which has the lower number."""
    texts = []
    for n in range(count):
        number = f"priority: {n % 2}\n  " if hidden else ""
        where = f"prefix: /p{n // 2}" + ("/deep" if n % 2 else "") if hidden else match.format(n=n)
        texts.append(ROUTE.format(n=n, priority=number, match=where, service=n % SERVICES))
    return texts


def tables(count: int) -> Iterator[tuple[str, list[str]]]:
    """What is diagnosed: a name, and documents."""
    hosts = [route_file(host, 100, SERVICES) for host in range(count // 100)]
    yield f"{count // 100} hosts of 100 routes", hosts
    yield "one host, prefixes", one_host(count, "prefix: /service-{n}/")
    yield "one host, told apart by a header", one_host(count, HEADER)
    yield "one host, told apart by an expression for a header", one_host(count, PATTERN)
    yield "one host, expressions", one_host(count, "path: {{regex: '/v[0-9]+/s{n}/.*'}}")
    yield "one host, every other route hidden", one_host(count, "", hidden=True)


def evidence_of(documents: list[str]) -> tuple[Evidence, float]:
    """What there is to go by, and the seconds that reading and linking took."""
    started = time.perf_counter()
    store = Store({})
    services = (SERVICE.format(index=index, backend=8080) for index in range(SERVICES))
    store.replace("mesh.yaml", "---\n".join((HEAD.format(port=8088), *services)))
    for number in range(0, len(documents), 100):
        store.replace(f"{number}.yaml", "---\n".join(documents[number : number + 100]))
    resources = store.resources()
    linked = link(resources)
    problems = tuple(map(store.locate, (*store.problems(), *linked.problems)))
    return Evidence(resources, linked.graph, problems), time.perf_counter() - started


def lived(given: Evidence) -> Evidence:
    """The same as a running instance has it, with everything that it keeps."""
    (gateway,) = given.graph.gateways.values()
    rules = cycle(given.rules)
    requests = []
    for number, rule in enumerate(islice(rules, 2 * RECORDS)):
        (route,) = rule.targets[0].service.routes
        failed = number % 2
        requests.append(
            Request(
                id=str(number),
                start=float(number),
                node=gateway.node_id,
                way="in",
                port=8088,
                status=503 if failed else 200,
                flags=("UF",) if failed else (),
                failure="delayed connect error: Connection refused" if failed else "",
                details="" if failed else "via_upstream",
                route=names.route(rule, route),
                cluster=names.cluster(route.targets[0].cluster),
                endpoint=f"10.0.0.{number % 200}:8080",
                duration=5.0 if failed else 1500.0,
                phases=Phases() if failed else Phases(request=0.1, sent=0.3, answered=1400.0),
            )
        )
    counted = Traffic((10,) * WIDTH)
    traffic = {
        Subject(Scope.ROUTE, gateway.key, route=request.route): counted
        for request in requests[: MOST[Scope.ROUTE]]
    }
    nodes = {route.targets[0].cluster.node for route in given.routes}
    traffic |= {Subject(Scope.NODE, gateway.key, node): counted for node in nodes}
    return replace(given, live=Live(requests=tuple(requests), traffic=traffic, before=traffic))


def diagnosed(given: Evidence) -> tuple[int, float]:
    """How much is found, and in how many seconds; views are worked out anew."""
    fresh = replace(given)
    started = time.perf_counter()
    findings = diagnose(fresh)
    return len(findings), time.perf_counter() - started


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{count:,} gateway routes; seconds, the median of {ROUNDS} rounds (min-max)")
    for number, (name, documents) in enumerate(tables(count)):
        given, read = evidence_of(documents)
        print(f"{name}: read and linked in {read:.1f}, diagnosed in {timed(given)}")
        if number == 0:
            print(f"{name}, running: diagnosed in {timed(lived(given))}")
    return 0


def timed(given: Evidence) -> str:
    """How long it takes, and how much is found."""
    gc.collect()
    rounds = [diagnosed(given) for _ in range(ROUNDS)]
    times = [seconds for _, seconds in rounds]
    spread = f"{statistics.median(times):.2f} ({min(times):.2f}-{max(times):.2f})"
    return f"{spread}, {rounds[0][0]} found"


if __name__ == "__main__":
    raise SystemExit(main())
