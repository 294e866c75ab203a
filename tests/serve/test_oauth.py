"""Authorization servers of a control plane that comes and goes, for a proxy that stays."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.oauth import claims_of
from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.up import Answer, Up, ask, until
from tests.up.test_oauth import CONSUMERS, POLICY, issue, server

pytestmark = pytest.mark.envoy
FORM = "application/x-www-form-urlencoded"


def test_tokens_outlast_the_control_plane_and_its_restart(shop: Shop, folder: Path) -> None:
    shop.write("oauth.yaml", *CONSUMERS, server(shop.port), POLICY)
    xds = f"unix:{folder}/xds.sock"
    state = ("--state", f"{folder}/s.db", "--master-key", f"{folder}/m.key")
    options = ("--health=127.0.0.1:0", *state)
    host = {"host": f"localhost:{shop.port}"}
    secret = ""

    def token() -> Answer:
        pair = base64.b64encode(f"shop/machine:{secret}".encode()).decode()
        headers = {**host, "content-type": FORM, "authorization": f"Basic {pair}"}
        form = "grant_type=client_credentials&scope=read"
        return ask(f"127.0.0.1:{shop.port}", "/oauth2/token", headers, "POST", body=form)

    def access() -> str:
        found: str = json.loads(token().body)["access_token"]
        return found

    def web(bearer: str) -> int:
        headers = {**host, "authorization": f"Bearer {bearer}"}
        return ask(f"127.0.0.1:{shop.port}", "/web", headers).status

    with proxying(xds) as proxy:
        with serving(shop, xds, *options) as control:
            wait_ready(control, proxy)
            _, secret = issue(control, "shop/machine", "client")
            first = access()
            until(lambda: web(first) == 200, what="the proxy has the keys")
            stop(control)
        assert web(first) == 200
        away = token()
        assert (away.status, web("e30.e30.e30")) == (503, 401)
        with serving(shop, xds, *options) as control:
            until(lambda: token().status == 200, 20.0, "tokens are issued again")
            second = access()
            assert claims_of(second)["jti"] != claims_of(first)["jti"]
            assert (web(first), web(second)) == (200, 200)
    for file in folder.glob("s.db*"):
        assert secret.encode() not in file.read_bytes()
        assert b'"d":' not in file.read_bytes()
    assert secret not in control.text + proxy.text


def stop(run: Up) -> None:
    run.process.kill()
    run.process.wait()
