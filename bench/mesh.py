"""What an edit costs in App Mesh's largest mesh: 200 virtual nodes with 50 backends each.

    python -m bench.mesh

Everything is compiled for a proxy of every node, as `pointsman serve` does with all of them
connected; then one route of one service is edited, again and again. Only this process works:
decoding, linking, translation and sealing, no network.
"""

import gc
import statistics
import time

from pointsman.control.compile import Compiled, Compiler
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.links.context import GivenEndpoints
from pointsman.resources.store import Store

NODES = 200
BACKENDS = 50
EDITS = 20

MESH = """apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {name: big}
spec: {namespaceSelector: {}}
"""
NODE = """apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {{name: n{i}, namespace: big}}
spec:
  listeners: [{{portMapping: {{port: 8080, protocol: http}}}}]
  serviceDiscovery: {{dns: {{hostname: n{i}.big.local}}}}
  backends: [{backends}]
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: {{name: s{i}, namespace: big}}
spec: {{awsName: s{i}.big.local, provider: {{virtualRouter: {{virtualRouterRef: {{name: r{i}}}}}}}}}
"""
ROUTER = """apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: {{name: r{i}, namespace: big}}
spec:
  listeners: [{{portMapping: {{port: 8080, protocol: http}}}}]
  routes:
    - name: new
      httpRoute:
        match: {{prefix: /new}}
        action:
          weightedTargets:
            - {{virtualNodeRef: {{name: n{i}}}, weight: {weight}}}
            - {{virtualNodeRef: {{name: n{after}}}, weight: 1}}
    - name: all
      httpRoute:
        match: {{prefix: /}}
        action: {{weightedTargets: [{{virtualNodeRef: {{name: n{i}}}, weight: 1}}]}}
"""


def node(i: int) -> str:
    """A node that calls the services after its own."""
    called = [f"s{(i + step) % NODES}" for step in range(1, BACKENDS + 1)]
    backends = ", ".join(
        f"{{virtualService: {{virtualServiceRef: {{name: {n}}}}}}}" for n in called
    )
    return NODE.format(i=i, backends=backends)


def router(i: int, weight: int) -> str:
    """A service's routes."""
    return ROUTER.format(i=i, after=(i + 1) % NODES, weight=weight)


def main() -> int:
    store = Store({})
    store.replace("mesh.yaml", MESH)
    started = time.perf_counter()
    for i in range(NODES):
        store.replace(f"n{i}.yaml", node(i))
        store.replace(f"r{i}.yaml", router(i, 1))
    decoded = time.perf_counter() - started
    compiler = Compiler(lambda proxies: [(item, [NodeClass(item.key)]) for item in proxies])
    gc.disable()
    compiled, first = run(store, compiler)
    edits = []
    for number in range(EDITS):
        store.replace(f"r{number}.yaml", router(number, 3))
        compiled, seconds = run(store, compiler)
        edits.append(seconds)
    items = [
        item
        for snapshot in compiled.snapshots.values()
        for by_name in snapshot.resources.values()
        for item in by_name.values()
    ]
    size = sum(len(item.body) for item in items)
    print(f"{NODES} nodes with {BACKENDS} backends: {len(items):,} resources, {size / 1e6:.1f} MB")
    print(f"decoded in {decoded:.2f} s, compiled for every node in {first:.2f} s")
    print(
        f"one edited route, which {BACKENDS} nodes call: median {statistics.median(edits):.3f} s "
        f"({min(edits):.3f}-{max(edits):.3f}) of {EDITS}"
    )
    return 0


def run(store: Store, compiler: Compiler) -> tuple[Compiled, float]:
    """Compiles, and tells how long it took in s."""
    started = time.perf_counter()
    compiled = compiler.compile(store.resources(), GivenEndpoints())
    return compiled, time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
