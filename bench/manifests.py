"""Writes a large set of manifests: many gateway routes over many hosts, services and nodes."""

from pathlib import Path

HEAD = """\
apiVersion: v1
kind: Namespace
metadata: {{name: big, labels: {{mesh: big}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata: {{name: big}}
spec:
  namespaceSelector: {{matchLabels: {{mesh: big}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualGateway
metadata: {{name: edge, namespace: big}}
spec:
  namespaceSelector: {{matchLabels: {{mesh: big}}}}
  listeners:
    - portMapping: {{port: {port}, protocol: http}}
"""

SERVICE = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata:
  name: service-{index}
  namespace: big
spec:
  awsName: service-{index}.big.svc.cluster.local
  provider:
    virtualNode:
      virtualNodeRef:
        name: node-{index}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata:
  name: node-{index}
  namespace: big
spec:
  listeners:
    - portMapping:
        port: {backend}
        protocol: http
  serviceDiscovery:
    dns:
      hostname: 127.0.0.1
"""

ROUTE = """\
apiVersion: appmesh.k8s.aws/v1beta2
kind: GatewayRoute
metadata:
  name: route-{host}-{index}
  namespace: big
  labels:
    team: team-{host}
spec:
  httpRoute:
    match:
      prefix: /api/{index}
      hostname:
        exact: host-{host}.example.com
      headers:
        - name: x-tenant
          match:
            prefix: tenant
    action:
      target:
        virtualService:
          virtualServiceRef:
            name: service-{service}
      rewrite:
        prefix:
          value: {rewrite}
"""


def route(host: int, index: int, services: int, rewrite: str = "/v1/") -> str:
    """One gateway route as YAML."""
    service = (host * 100 + index) % services
    return ROUTE.format(host=host, index=index, service=service, rewrite=rewrite)


def route_file(host: int, per_host: int, services: int, first_rewrite: str = "/v1/") -> str:
    """The routes of one host as YAML; the first one's rewrite may be chosen."""
    documents = [route(host, 0, services, first_rewrite)]
    documents += [route(host, index, services) for index in range(1, per_host)]
    return "---\n".join(documents)


def write(folder: Path, *, routes: int, hosts: int, services: int, port: int, backend: int) -> None:
    """Writes the whole set: a file for each host, and the services ten files."""
    (folder / "mesh.yaml").write_text(HEAD.format(port=port))
    for part in range(10):
        chosen = range(part, services, 10)
        text = "---\n".join(SERVICE.format(index=index, backend=backend) for index in chosen)
        (folder / f"services-{part}.yaml").write_text(text)
    for host in range(hosts):
        (folder / f"host-{host}.yaml").write_text(route_file(host, routes // hosts, services))
