"""What `pointsman explain` takes for a request: `python -m bench.explain [COUNT]`.

In one process and without files, as a running instance answers `explain --live`: which row of some
ten thousand takes a request, why the rows before it do not, and everything that is told of it.
"""

import random
import statistics
import sys
import time

from bench.doctor import HEADER, evidence_of, one_host
from bench.manifests import route_file
from pointsman.aio import garbage
from pointsman.app.explained import Manifests, Question, explained
from pointsman.cli.request import parse_request
from pointsman.resources.store import Store

ASKED = 200
SERVICES = 100


def manifests(documents: list[str]) -> Manifests:
    """What is asked about."""
    given, _ = evidence_of(documents)
    return Manifests(given.graph, Store({}), given.problems)


def took_ms(given: Manifests, url: str, headers: list[str]) -> float:
    """The time of one answer."""
    question = Question(parse_request("GET", url, headers), url)
    started = time.perf_counter()
    told = explained(given, question)
    took = (time.perf_counter() - started) * 1000
    assert told.known, url
    return took


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(1)
    print(f"{count:,} gateway routes, {ASKED} requests; ms, median (99 of 100)")
    hosts = manifests([route_file(host, 100, SERVICES) for host in range(count // 100)])
    one = manifests(one_host(count, "prefix: /service-{n}/"))
    headers = manifests(one_host(count, HEADER))
    garbage.tidy()  # as an instance does after each change
    for name, given in (("hosts", hosts), ("one host", one), ("headers", headers)):
        times = []
        for _ in range(ASKED):
            number = chance.randrange(count)
            asked = {
                "hosts": (
                    f"http://host-{number // 100}.example.com:8088/api/{number % 100}",
                    ["x-tenant: tenant-1"],
                ),
                "one host": (f"http://any.bench:8088/service-{number}/x", []),
                "headers": ("http://any.bench:8088/", [f"x-tenant: tenant-{number}"]),
            }[name]
            times.append(took_ms(given, *asked))
        middle, longest = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(f"{name}: {middle:.1f} ({longest:.1f})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
