"""How far each object is, as the command and the administration tell it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.up import Up, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-objects")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    lonely = m.node("lonely")
    lost = m.route("lost", service="nobody")
    routed = (m.route("split"), *m.routed("split", books=1))
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"), *routed, lonely, lost)
    (folder / "mesh.yaml").write_text(m.text(*mesh))
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with running(folder, "--echo", "--listen", "8088=0") as up:
        yield up


def objects(up: Up) -> dict[tuple[str, str], dict[str, Any]]:
    answer = json.loads(up.command("status", "--objects", "--json"))
    return {(item["kind"], item["name"]): item for item in answer["items"]}


def test_what_a_proxy_has_accepted_is_programmed(up: Up) -> None:
    until(lambda: objects(up)["VirtualGateway", "front"]["state"] == "programmed")
    found = objects(up)
    for named in (
        ("GatewayRoute", "books"),
        ("VirtualService", "books"),
        ("VirtualNode", "books"),
        ("VirtualService", "split"),
        ("VirtualRouter", "split"),
    ):
        item = found[named]
        assert (item["state"], item["programmed"], item["proxies"]) == ("programmed", 1, 1), named
    assert found["VirtualNode", "lonely"]["state"] == "accepted"


def test_what_names_something_that_is_not_there_is_told_with_its_place(up: Up) -> None:
    item = objects(up)["GatewayRoute", "lost"]
    assert (item["state"], item["accepted"], item["resolved"]) == ("unresolved", False, False)
    assert item["reason"].startswith("PM307: there is no VirtualService shop/nobody")
    assert "mesh.yaml:" in item["origin"]
    text = up.command("status", "--objects")
    assert "GatewayRoute    shop/lost    unresolved" in text
    assert f"{item['origin']}: {item['reason']}" in text


def test_what_cannot_be_read_is_refused_until_it_is_mended(up: Up, folder: Path) -> None:
    file = folder / "more.yaml"
    file.write_text(m.text(m.route("more", service="books", prefix=["/more"])))
    until(lambda: objects(up).get(("GatewayRoute", "more"), {}).get("state") == "refused")
    file.write_text(m.text(m.route("more", service="books")))
    until(lambda: objects(up)["GatewayRoute", "more"]["state"] == "programmed")
    file.unlink()
    until(lambda: ("GatewayRoute", "more") not in objects(up))
