"""What `pointsman doctor` takes for 10,000 gateway routes: `python -m bench.doctor [COUNT]`.

Everything in one process and without files: reading, linking, then diagnosing. The tables differ
in what the search for hidden routes can go by: many small ones, one of prefixes, one where only a
header tells routes apart, one of expressions, and one where half of all routes are hidden.
"""

import gc
import statistics
import sys
import time
from collections.abc import Iterator

from bench.manifests import HEAD, SERVICE, route_file
from pointsman.doctor.engine import diagnose
from pointsman.doctor.evidence import Evidence
from pointsman.graph.link import link
from pointsman.resources.store import Store

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


def diagnosed(given: Evidence) -> tuple[int, float]:
    """How much is found, and in how many seconds; views are worked out anew."""
    fresh = Evidence(given.resources, given.graph, given.problems)
    started = time.perf_counter()
    findings = diagnose(fresh)
    return len(findings), time.perf_counter() - started


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{count:,} gateway routes; seconds, the median of {ROUNDS} rounds (min-max)")
    for name, documents in tables(count):
        given, read = evidence_of(documents)
        gc.collect()
        rounds = [diagnosed(given) for _ in range(ROUNDS)]
        times = [seconds for _, seconds in rounds]
        spread = f"{statistics.median(times):.2f} ({min(times):.2f}-{max(times):.2f})"
        print(f"{name}: read and linked in {read:.1f}, diagnosed in {spread}, {rounds[0][0]} found")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
