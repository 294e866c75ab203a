"""CPU time and memory that 10,000 GatewayRoutes take: `python bench/decode.py [COUNT]`."""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator

from pointsman.resources.documents import split
from pointsman.resources.store import Store
from pointsman.resources.text import read

ROUTE = """\
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata:
  name: route-{n}
  namespace: team-{team}
  labels:
    team: "{team}"
spec:
  priority: {priority}
  httpRoute:
    match:
      prefix: /service-{n}/
      headers:
        - name: x-version
          match:
            regex: "v{team}[0-9]+"
    action:
      target:
        virtualService:
          virtualServiceRef:
            name: service-{n}
      rewrite:
        prefix:
          value: /
"""


def manifests(count: int, team: int = 100) -> str:
    return "".join(ROUTE.format(n=n, team=n % team, priority=n % 1000) for n in range(count))


def timed(what: str, count: int, work: Callable[[], object]) -> None:
    start = time.process_time()
    work()
    seconds = time.process_time() - start
    print(f"{what:<34}{seconds * 1000:>9.1f} ms {seconds / count * 1e6:>9.1f} µs/document")


def rounds(count: int) -> Iterator[tuple[str, Callable[[], object]]]:
    text = manifests(count)
    store = Store()
    changed = text.replace("/service-17/", "/changed/")
    moved = "# one line more\n" + text
    yield "split", lambda: list(split(text))
    yield "read (YAML to values)", lambda: [read(document.text) for document in split(text)]
    yield "store.replace, all new", lambda: store.replace("routes.yaml", text)
    yield "store.resources", store.resources
    yield "store.replace, one changed", lambda: store.replace("routes.yaml", changed)
    yield "store.replace, all moved", lambda: store.replace("routes.yaml", moved)
    yield "store.resources", store.resources
    yield "store.problems", store.problems


def memory(count: int) -> None:
    text = manifests(count)
    store = Store()
    store.replace("warm.yaml", manifests(1))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store.replace("routes.yaml", text)
    store.resources()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    print(f"memory kept: {kept / 2**20:.1f} MiB, {kept / count:.0f} bytes/document")
    print(f"of which text: {len(text) / count:.0f} bytes/document")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for what, work in rounds(count):
        timed(what, count, work)
    memory(count)


if __name__ == "__main__":
    main()
