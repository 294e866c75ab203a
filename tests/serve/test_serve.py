"""A control plane alone, and the proxies that come to it."""

import json
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.main import main
from tests.support.serve import (
    GATEWAY,
    Shop,
    events,
    health,
    is_ready,
    proxying,
    serving,
    wait_ready,
)
from tests.support.traffic import goes_on, traffic
from tests.support.up import Up, ask, command, until
from tests.up import manifests

pytestmark = pytest.mark.envoy


@pytest.mark.parametrize("dialect", ["delta", "sotw"])
def test_a_proxy_is_served_and_follows_edits(shop: Shop, folder: Path, dialect: str) -> None:
    xds = f"unix:{folder}/xds.sock"
    arn = f"arn:aws:appmesh:eu-west-1:123456789012:{GATEWAY}"
    with serving(shop, xds, "--health=127.0.0.1:0") as control:
        assert stat.S_IMODE((folder / "xds.sock").stat().st_mode) == 0o600
        with proxying(xds, f"--dialect={dialect}", "--zone=a", node=arn) as proxy:
            wait_ready(control, proxy)
            assert shop.answers()
            assert shop.answers("/cart", 404)
            shop.write("cart.yaml", *manifests.shop("cart"))
            until(lambda: shop.answers("/cart"), what="/cart")
            (status,) = control.status().proxies
            assert (status.node, status.wire, status.state) == (arn, dialect, "synced")
            assert proxy.end(signal.SIGTERM) == 0
            assert proxy.left_behind() == []
        assert control.end(signal.SIGTERM) == 0
        assert control.left_behind() == []
        assert not (folder / "xds.sock").exists()


def test_what_is_good_is_served_although_the_rest_is_not(shop: Shop, folder: Path) -> None:
    (shop.folder / "bad.yaml").write_text("kind: [", encoding="utf-8")
    shop.write("cart.yaml", manifests.route("cart"))  # its service does not exist
    xds = f"unix:{folder}/xds.sock"
    with serving(shop, xds) as control, proxying(xds) as proxy:
        wait_ready(proxy)
        assert shop.answers()
        (started,) = events(control, "started")
        assert started["errors"] >= 2
        files = {problem["file"] for problem in events(control, "problem")}
        assert {Path(file).name for file in files} == {"bad.yaml", "cart.yaml"}


def test_a_node_that_does_not_exist_yet_is_told_so_and_served_when_it_does(
    shop: Shop, folder: Path
) -> None:
    xds = f"unix:{folder}/xds.sock"
    kept = (shop.folder / "mesh.yaml").read_text(encoding="utf-8")
    (shop.folder / "mesh.yaml").unlink()
    with serving(shop, xds) as control, proxying(xds) as proxy:
        reason = f"unknown resource: nothing is configured for node '{GATEWAY}'"
        proxy.says(f"closed: 3, {reason}")
        assert not is_ready(proxy)
        refusal = events(control, "proxy refused")[0]
        assert (refusal["node"], refusal["reason"]) == (GATEWAY, reason)
        (told,) = [item for item in doctor(control) if item["check"] == "R23"]
        assert GATEWAY in told["message"]
        (shop.folder / "mesh.yaml").write_text(kept, encoding="utf-8")
        wait_ready(proxy)
        assert shop.answers()
        assert [item for item in doctor(control) if item["check"] == "R23"] == []


def doctor(control: Up) -> list[dict[str, Any]]:
    """What doctor finds in a running control plane."""
    done = command("doctor", "--json", runtime=control.home / "run")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return findings


def test_a_killed_control_plane_never_stops_traffic(shop: Shop, folder: Path) -> None:
    xds = f"unix:{folder}/xds.sock"
    with serving(shop, xds) as first, proxying(xds) as proxy:
        wait_ready(proxy)
        with traffic(shop.port, "/web") as seen:
            goes_on(seen)
            first.send(signal.SIGKILL)
            first.wait()
            proxy.says("pointsman_xds closed")
            goes_on(seen, 300)
            with serving(shop, xds) as second:
                until(lambda: [p.state for p in second.status().proxies] == ["synced"], 20)
                shop.write("cart.yaml", *manifests.shop("cart"))
                until(lambda: shop.answers("/cart"), what="/cart")
        assert set(seen) == {"200 served"}


def test_health_tells_of_the_end_before_it_comes(shop: Shop, folder: Path) -> None:
    """The second stream ends half the grace after the first: until then there is somebody to ask.

    It takes less here, as both proxies leave before.
    """
    xds = f"unix:{folder}/xds.sock"
    with serving(shop, xds, "--health=127.0.0.1:0", "--grace=40") as control:
        assert ask(health(control), "/live").status == 200
        assert ask(health(control), "/ready").status == 200
        with proxying(xds) as first, proxying(xds) as second:
            wait_ready(first, second)
            control.send(signal.SIGTERM)
            control.says('"event": "stopping"')
            answer = ask(health(control), "/ready")
            assert (answer.status, answer.body) == (503, b"not serving\n")
        assert control.wait() == 0


REFUSED = [
    (["--xds=localhost"], "not HOST:PORT"),
    (["--tls-cert=none.pem", "--tls-key=none.key"], "nothing tells which node a proxy is"),
    (["--tls-cert=none.pem"], "needs both --tls-cert and --tls-key"),
    (["--xds=unix:/tmp/x", "--client-ca=ca.pem"], "--client-ca is for TCP"),
    (["--socket-mode=rw"], "not permissions"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_options_that_do_not_fit_together_are_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["serve", "mesh", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--xds=0.0.0.0:0"], "is open to other machines"),
        (
            ["--xds=127.0.0.1:0", "--tls-cert=none.pem", "--tls-key=none.key", "--any-node"],
            "No such file",
        ),
    ],
)
def test_what_should_not_be_or_cannot_be_served_is_refused(
    shop: Shop, options: list[str], words: str
) -> None:
    ended = command("serve", shop.folder, *options)
    assert ended.returncode == 2
    assert words in ended.stderr


def test_a_socket_that_is_in_use_is_not_taken_away(shop: Shop, folder: Path) -> None:
    xds = f"unix:{folder}/xds.sock"
    with serving(shop, xds):
        second = command("serve", shop.folder, f"--xds={xds}")
        assert second.returncode == 2
        assert "another instance serves proxies on" in second.stderr


def test_other_machines_are_served_in_plaintext_only_when_asked(shop: Shop) -> None:
    with serving(shop, "0.0.0.0:0", "--insecure") as control:
        (started,) = events(control, "started")
        assert started["xds"].startswith("0.0.0.0:")
