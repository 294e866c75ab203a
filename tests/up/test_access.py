"""Callers of a running instance: from a command to the proxies, and what survives a restart."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import Up, ask, command, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-access")]

POLICY = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "AccessPolicy",
    "metadata": {"name": "keys", "namespace": m.NAMESPACE},
    "spec": {
        "targetRefs": [{"kind": "VirtualGateway", "name": "front"}],
        "methods": [{"apiKey": {}}, {"basic": {}}],
    },
}
DECLARED = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "Consumer",
    "metadata": {"name": "declared", "namespace": m.NAMESPACE},
    "spec": {"groups": ["gold"]},
}

COUNTED = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "TelemetryPolicy",
    "metadata": {"name": "counted", "namespace": m.NAMESPACE},
    "spec": {"targetRefs": [{"kind": "VirtualGateway", "name": "front"}], "consumers": True},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"))
    (folder / "mesh.yaml").write_text(m.text(*mesh))
    (folder / "access.yaml").write_text(m.text(POLICY, DECLARED, COUNTED))
    return folder


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("state")
    return "--state", str(folder / "s.db"), "--master-key", str(folder / "master.key")


@pytest.fixture(scope="module")
def up(folder: Path, state: tuple[str, ...]) -> Iterator[Up]:
    with running(folder, "--echo", "--listen", "8088=0", *state) as up:
        yield up


def status_of(up: Up, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(up.address("front"), "/books", named).status


def issue(up: Up, consumer: str, *more: str) -> tuple[str, str]:
    """Id and secret of a new credential."""
    made: dict[str, Any] = json.loads(up.command("key", "issue", consumer, "--json", *more))
    return made["credential"]["id"], made["secret"]


def test_a_key_is_good_at_once_and_refused_within_a_second_of_its_revocation(up: Up) -> None:
    assert status_of(up) == 401
    credential, secret = issue(up, "shop/declared")
    until(lambda: status_of(up, x_api_key=secret) == 200, 1.0)
    answer = ask(up.address("front"), "/books", {"x-api-key": secret})
    assert answer.seen["headers"]["x-pointsman-consumer"] == "shop/declared"
    started = time.monotonic()
    up.command("key", "revoke", credential)
    until(lambda: status_of(up, x_api_key=secret) == 401, 1.0)
    assert secret not in up.text
    assert time.monotonic() - started < 5.0


def test_a_rotated_key_and_its_successor_are_both_good(up: Up) -> None:
    credential, old = issue(up, "shop/declared")
    made = json.loads(up.command("key", "rotate", credential, "--overlap", "1h", "--json"))
    until(lambda: status_of(up, x_api_key=made["secret"]) == 200, 1.0)
    assert status_of(up, x_api_key=old) == 200
    up.command("key", "rotate", made["credential"]["id"], "--overlap", "0s")
    until(lambda: status_of(up, x_api_key=made["secret"]) == 401, 1.0)


def test_what_the_master_key_in_use_closes_is_left_alone(up: Up) -> None:
    _, secret = issue(up, "shop/declared")
    told = up.command("key", "rewrap")
    assert "0 credentials and 0 keys of authorization servers are closed by master key m" in told
    until(lambda: status_of(up, x_api_key=secret) == 200, 1.0)


def test_a_key_ends_by_itself(up: Up) -> None:
    _, secret = issue(up, "shop/declared", "--expires", "2s")
    until(lambda: status_of(up, x_api_key=secret) == 200, 1.0)
    until(lambda: status_of(up, x_api_key=secret) == 401, 5.0)


def test_a_consumer_made_by_command_counts_until_it_is_deleted(up: Up) -> None:
    up.command("consumer", "create", "shop/acme", "--group", "gold")
    credential, password = issue(up, "shop/acme", "--kind", "password")
    basic = _basic(credential, password)
    until(lambda: status_of(up, authorization=basic) == 200, 2.0)
    listed = up.command("consumer", "list")
    assert "shop/acme      gold    database" in listed
    assert "access.yaml:" in listed
    up.command("consumer", "delete", "shop/acme")
    until(lambda: status_of(up, authorization=basic) == 401, 2.0)
    assert "revoked" not in up.command("key", "list", "shop/declared", "--state", "active")


def test_requests_are_counted_by_consumer(up: Up) -> None:
    up.command("consumer", "create", "shop/counted")
    _, secret = issue(up, "shop/counted")
    until(lambda: status_of(up, x_api_key=secret) == 200, 1.0)
    for status in ("200", "404", "429", "503"):
        status_of(up, x_api_key=secret, x_echo_status=status)

    def row() -> dict[str, Any]:
        report = json.loads(up.command("top", "--by", "consumer", "--once", "--json"))
        rows: dict[str, dict[str, Any]] = {row["name"]: row for row in report["rows"]}
        return rows.get("shop/counted", {})

    until(lambda: row().get("classes") == [0, 2, 0, 2, 1], 20)
    assert (row()["requests"], row()["causes"]) == (5, {"limited": 1})
    assert 0 < row()["p99"] < 10_000


def test_what_files_declare_is_changed_in_files(up: Up) -> None:
    done = command("consumer", "delete", "shop/declared", runtime=up.home / "run")
    assert done.returncode == 2
    assert "declared at " in done.stderr
    assert "access.yaml" in done.stderr


def test_who_did_what_is_on_record_and_secrets_are_not(up: Up) -> None:
    credential, secret = issue(up, "shop/declared", "--label", "for the record")
    told = up.command("audit", "--object", credential)
    assert "for the record" in told
    assert secret not in told
    assert secret not in up.command("key", "list", "--json")
    assert secret not in up.text


def test_keys_survive_a_restart(folder: Path, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "s.db"), "--master-key", str(tmp_path / "m"))
    with running(folder, "--echo", "--listen", "8088=0", *state) as first:
        _, secret = issue(first, "shop/declared")
        until(lambda: status_of(first, x_api_key=secret) == 200, 1.0)
    with running(folder, "--echo", "--listen", "8088=0", *state) as second:
        assert status_of(second, x_api_key=secret) == 200


def test_without_anything_about_callers_no_state_is_made(tmp_path: Path) -> None:
    mesh = tmp_path / "mesh.yaml"
    mesh.write_text(m.text(m.mesh(), m.gateway("front", 8088), *m.shop("books")))
    with running(mesh, "--echo", "--listen", "8088=0") as up:
        assert not (up.home / "state").exists()


def _basic(user: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
