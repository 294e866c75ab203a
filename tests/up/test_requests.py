"""Requests of a running instance: told of by real Envoys, shown, followed, and explained."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import Answer, Up, ask, command, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-requests")]

SECRET = "hunter2-is-a-secret"
GUARD: dict[str, Any] = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "AccessPolicy",
    "metadata": {"name": "keys", "namespace": m.NAMESPACE},
    "spec": {
        "targetRefs": [{"kind": "GatewayRoute", "name": "vault"}],
        "methods": [{"apiKey": {"query": ["key"], "headers": ["x-api-key"]}}],
    },
}
RETRIES: dict[str, Any] = {
    "maxRetries": 2,
    "perRetryTimeout": {"unit": "s", "value": 5},
    "httpRetryEvents": ["server-error"],
}


def routed() -> list[dict[str, Any]]:
    """A service whose route retries."""
    service, router = m.routed("flaky", flaky=1)
    router["spec"]["routes"][0]["httpRoute"]["retryPolicy"] = RETRIES
    return [m.route("flaky"), service, router, m.node("flaky")]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("requests")
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books", "vault"), *routed(), GUARD)
    (folder / "mesh.yaml").write_text(m.text(*mesh))
    (folder / "state").mkdir()
    state = ("--state", f"{folder}/state/s.db", "--master-key", f"{folder}/state/master.key")
    with running(folder / "mesh.yaml", "--echo", "--listen", "8088=0", *state) as up:
        yield up


def sent(up: Up, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(up.address("front"), path, named)


def why(up: Up, answer: Answer) -> dict[str, Any]:
    """What the gateway's proxy told of a request."""
    told = json.loads(up.command("why", answer.headers["x-request-id"], "--json"))
    (found,) = told["proxies"]
    assert found["id"] == told["request"] == answer.headers["x-request-id"]
    record: dict[str, Any] = found
    return record


def test_what_went_well(up: Up) -> None:
    found = why(up, sent(up, "/books/1"))
    assert (found["status"], found["flags"], found["tries"]) == (200, [], 1)
    assert (found["method"], found["path"], found["port"]) == ("GET", "/books/1", 8088)
    assert found["route"] == "shop/books"
    assert found["cluster"] == "cds_egress_shop_books_shop_http_8080"
    assert found["endpoint"].startswith("127.0.0.1:")
    assert found["version"] == up.status().proxies[0].version
    decision = found["decision"]
    assert (decision["agrees"], decision["gatewayRoute"]) == (True, "shop/books")
    phases = found["phases"]
    assert 0 < phases["sent"] <= phases["answered"] <= phases["returned"] <= found["duration"]


def test_what_was_slow(up: Up) -> None:
    answer = sent(up, "/books", x_echo_delay_ms="300")
    found = why(up, answer)
    (works,) = [span for span in found["spans"] if span["name"] == "endpoint works"]
    assert works["endMs"] - works["startMs"] >= 290
    slow = up.command("logs", "--slow", "300ms", "--json").splitlines()
    assert answer.headers["x-request-id"] in [json.loads(text)["id"] for text in slow]


def test_what_met_no_route(up: Up) -> None:
    found = why(up, sent(up, "/nowhere"))
    assert (found["status"], found["flags"], found["route"]) == (404, ["NR"], "")
    assert found["decision"]["agrees"]
    assert {item["gatewayRoute"] for item in found["decision"]["rejected"]} == {
        "shop/books",
        "shop/flaky",
        "shop/vault",
    }


def test_what_was_retried(up: Up) -> None:
    answer = sent(up, "/flaky", x_echo_status="503")
    assert answer.status == 503
    found = why(up, answer)
    assert (found["tries"], found["flags"]) == (3, ["URX"])
    assert [cause["sign"] for cause in found["causes"]] == ["URX"]
    text = up.command("why", answer.headers["x-request-id"])
    assert "in 3 tries" in text
    assert "all tries that the retry policy allows failed" in text


def test_who_was_let_in_and_who_not(up: Up) -> None:
    up.command("consumer", "create", "shop/acme")
    key = up.command("key", "issue", "shop/acme", "--quiet").strip()
    until(lambda: sent(up, f"/vault?key={key}").status == 200)
    known, unknown = sent(up, f"/vault?key={key}"), sent(up, "/vault", x_api_key=SECRET)
    assert (known.status, unknown.status) == (200, 401)
    found = why(up, known)
    assert found["consumer"] == "shop/acme"
    assert found["credential"]
    assert found["decision"]["policies"] == ["AccessPolicy/shop/keys"]
    assert why(up, unknown)["status"] == 401
    text = up.command("why", unknown.headers["x-request-id"])
    assert "AccessPolicy shop/keys: refused" in text
    whose = up.command("logs", "--consumer", "acme", "--json")
    assert {json.loads(line)["consumer"] for line in whose.splitlines()} == {"shop/acme"}
    everything = [
        up.command("why", known.headers["x-request-id"], *more) for more in ((), ("--json",))
    ]
    everything += [up.command("logs"), up.command("logs", "--json"), up.text, *up.logged]
    assert all(key not in text for text in everything)


def test_secrets_are_printed_nowhere(up: Up) -> None:
    answers = [
        sent(up, f"/books?token={SECRET}", authorization=f"Bearer {SECRET}"),
        sent(up, f"/nowhere;s={SECRET}?{SECRET}", cookie=f"session={SECRET}", x_api_key=SECRET),
        sent(up, "/vault", authorization=f"Basic {SECRET}", proxy_authorization=SECRET),
    ]
    told = [up.command("why", item.headers["x-request-id"], "--json") for item in answers]
    told += [up.command("why", item.headers["x-request-id"]) for item in answers]
    told += [up.command("logs"), up.command("logs", "--json"), up.text, *up.logged]
    assert all(SECRET not in text for text in told)


def test_the_logs_go_on(up: Up) -> None:
    process = following(up, "--status", "404", "--json")
    try:
        assert process.stdout is not None
        wanted = sent(up, "/nowhere/at/all").headers["x-request-id"]
        for text in process.stdout:
            record = json.loads(text)
            assert record["status"] == 404
            if record["id"] == wanted:
                break
    finally:
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == 130
        finally:
            process.send_signal(signal.SIGABRT)
            process.communicate()


def following(up: Up, *options: str) -> "subprocess.Popen[str]":
    """`pointsman logs -f`."""
    arguments = [sys.executable, "-m", "pointsman.cli", "logs", "-f", *options]
    sources = str(Path(__file__).parents[2] / "src")
    environment = {"XDG_RUNTIME_DIR": str(up.home / "run"), "PYTHONPATH": sources}
    environment["PYTHONFAULTHANDLER"] = "1"
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_request_that_is_not_kept(up: Up) -> None:
    done = command("why", "no-such-request", runtime=up.home / "run")
    assert done.returncode == 1
    assert "no-such-request is not kept" in done.stderr
    assert "x-request-id" in done.stderr


@pytest.mark.parametrize("options", [("--status", "9xx"), ("--slow", "soon"), ("--since", "1 day")])
def test_logs_that_cannot_be_meant(up: Up, options: tuple[str, ...]) -> None:
    done = command("logs", *options, runtime=up.home / "run")
    assert done.returncode == 2
    assert f"{options[0]} {options[1]}" in done.stderr


def test_a_control_plane_that_sleeps_slows_nothing(up: Up) -> None:
    address = up.address("front")
    up.send(signal.SIGSTOP)
    try:
        started = time.monotonic()
        statuses = {ask(address, f"/nowhere/{number}").status for number in range(400)}
        seconds = time.monotonic() - started
    finally:
        up.send(signal.SIGCONT)
    assert statuses == {404}
    assert seconds < 10
    assert why(up, sent(up, "/books"))["status"] == 200


def test_explain_asks_what_runs(up: Up) -> None:
    address = f"http://{up.address('front')}"
    live = json.loads(up.command("explain", "--live", "GET", f"{address}/books", "--json"))
    assert live["gatewayRoute"] == "shop/books"
    assert live["problems"] == []
    (target,) = live["targets"]
    assert target["endpoints"][0].startswith("127.0.0.1:")
    assert "gateway route shop/books matches" in up.command("explain", "--live", "GET", "/books")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--live", "GET", "/", "--gateway", "nobody"), "there is no virtual gateway nobody"),
        (("--live", "GET", "/", "--from", "nobody"), "which port"),
    ],
)
def test_what_a_running_instance_cannot_tell(up: Up, options: tuple[str, ...], said: str) -> None:
    done = command("explain", *options, runtime=up.home / "run")
    assert done.returncode == 4
    assert said in done.stderr
