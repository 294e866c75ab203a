"""Requests told of over the wire of `pointsman serve`, and a control plane that dies."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.traffic import goes_on, traffic
from tests.support.up import ask, until

pytestmark = pytest.mark.envoy


def test_a_control_plane_that_dies_harms_no_request(shop: Shop, folder: Path) -> None:
    xds = f"unix:{folder}/xds.sock"
    with proxying(xds) as proxy:
        with serving(shop, xds) as control:
            wait_ready(proxy)
            with traffic(shop.port, "/web") as seen:
                goes_on(seen)
                control.send(signal.SIGKILL)
                control.process.wait(10)
                goes_on(seen)
                # A refusal each is a record each, and nobody takes them.
                started = time.monotonic()
                for number in range(300):
                    assert ask(f"127.0.0.1:{shop.port}", f"/nowhere/{number}").status == 404
                assert time.monotonic() - started < 10
                goes_on(seen)
            assert set(seen) == {"200 served"}
        (folder / "xds.sock").unlink(missing_ok=True)
        with serving(shop, xds) as control:
            until(lambda: [item.state for item in control.status().proxies] == ["synced"], 20)
            answer = ask(f"127.0.0.1:{shop.port}", "/nowhere")
            told = control.command("why", answer.headers["x-request-id"], "--json")
            (found,) = json.loads(told)["proxies"]
            assert (found["status"], found["flags"]) == (404, ["NR"])
            assert control.end(signal.SIGTERM) == 0
