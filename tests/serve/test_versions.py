"""Who calls an API's versions that are on their way out is known request by request."""

import json
from typing import Any

import pytest

from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.up import Up, ask, until
from tests.up import manifests as m

pytestmark = pytest.mark.envoy


def version(route: str, name: str, **more: Any) -> dict[str, Any]:
    targets = [{"kind": "GatewayRoute", "name": route}]
    return {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "VersionPolicy",
        "metadata": {"name": route, "namespace": m.NAMESPACE},
        "spec": {"targetRefs": targets, "version": name, "header": "x-api-version", **more},
    }


def uses(control: Up) -> dict[str, dict[str, Any]]:
    shown = json.loads(control.command("versions", "--json"))
    return {item["version"]: item for item in shown["versions"]}


def test_every_request_for_an_old_version_is_counted(shop: Shop) -> None:
    """A proxy of `serve` tells of one in a hundred others."""
    shop.write(
        "versions.yaml",
        m.route("next", service="web", prefix="/web"),
        version("web", "v1", default=True, deprecated={"at": "2026-01-01T00:00:00Z"}),
        version("next", "v2"),
    )
    xds = f"unix:{shop.folder.parent}/xds.sock"
    with proxying(xds) as proxy, serving(shop, xds) as control:
        wait_ready(proxy)
        gateway = f"127.0.0.1:{shop.port}"
        for _ in range(30):
            old = ask(gateway, "/web")
            assert (old.status, old.headers["deprecation"]) == (200, "@1767225600")
            new = ask(gateway, "/web", {"x-api-version": "v2"})
            assert (new.status, new.headers.get("deprecation")) == (200, None)
        assert ask(gateway, "/web", {"x-api-version": "v3"}).status == 404

        def counted() -> bool:
            return [item["requests"] for item in uses(control)["v1"]["callers"]] == [30]

        until(counted, 20)
        found = uses(control)
        assert (found["v1"]["stage"], found["v2"]["stage"]) == ("deprecated", "current")
        assert found["v2"]["callers"] == []
        until(lambda: [uses(control)[v]["requests"] for v in ("v1", "v2")] == [30, 30], 20)
