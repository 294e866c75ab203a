"""A control plane that proxies ask about opaque tokens, and secrets in files that they read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.envoy.test_access_introspection import client, issued, opaque
from tests.support.oidc import Provider, provider
from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.up import ask, until

pytestmark = pytest.mark.envoy


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with provider(client("app"), client("gateway")) as found:
        yield found


def policy(*methods: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "AccessPolicy",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "targetRefs": [{"kind": "VirtualGateway", "name": "front"}],
            "methods": list(methods),
        },
    }


def test_a_proxy_asks_its_control_plane_and_reads_secrets(
    shop: Shop, folder: Path, issuer: Provider
) -> None:
    method = opaque(issuer, folder)
    shop.write("access.yaml", policy(method))
    (folder / "cookies").write_text("0123456789abcdef0123456789abcdef")
    xds = f"unix:{folder}/xds.sock"

    def status(**headers: str) -> int:
        return ask(f"127.0.0.1:{shop.port}", "/web", headers).status

    with serving(shop, xds, "--health=127.0.0.1:0") as control, proxying(xds) as proxy:
        wait_ready(control, proxy)
        text = issued(issuer)
        until(lambda: status(authorization=f"Bearer {text}") == 200, what="the token passes")
        assert status(authorization="Bearer made-up") == 401
        login = {
            "issuer": issuer.issuer,
            "clientId": "gateway",
            "clientSecret": {"file": str(folder / "secret")},
            "cookieSecret": {"file": str(folder / "cookies")},
            "endpoints": {
                "authorization": f"{issuer.issuer}/auth",
                "token": f"{issuer.issuer}/token",
            },
            "jwks": {"url": f"{issuer.issuer}/jwks"},
        }
        shop.write("access.yaml", policy(method, {"oidc": login}))
        until(lambda: status(accept="text/html") == 302, what="browsers are sent to log in")
        assert status(authorization=f"Bearer {text}") == 200
        assert status() == 401
