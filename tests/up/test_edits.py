"""What is saved is live: every kind of edit a person makes, on one running instance.

Each test edits files of its own, so that they do not disturb one another.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.up import Up, ask, free_port, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-edits")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edits")
    (folder / "mesh.yaml").write_text(m.text(m.mesh(), m.gateway("front", 8088)))
    (folder / "steady.yaml").write_text(m.text(*m.shop("steady")))
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with running(folder, "--echo", "--listen", "8088=0", "--listen", "8099=0") as up:
        yield up
        assert "error" not in up.text


@pytest.fixture(scope="module")
def front(up: Up) -> str:
    return up.address("front")


def answers(front: str, path: str, node: str) -> bool:
    return ask(front, path).node == node


def test_a_new_file_with_a_new_route_and_node_gets_a_demo_backend(front: str, folder: Path) -> None:
    assert ask(front, "/fresh").status == 404
    (folder / "fresh.yaml").write_text(m.text(*m.shop("fresh")))
    until(lambda: answers(front, "/fresh", "fresh"))


def test_an_edit_is_told_with_the_time_it_took(up: Up, front: str, folder: Path) -> None:
    before = len(up.said)
    (folder / "told.yaml").write_text(m.text(*m.shop("told")))
    up.says(r"told\.yaml: live after \d+ ms", since=before)
    assert answers(front, "/told", "told")


def test_a_changed_weight(front: str, folder: Path) -> None:
    file = folder / "weights.yaml"
    rest = [m.route("weights"), m.node("weights-a"), m.node("weights-b")]
    file.write_text(m.text(*rest, *m.routed("weights", **{"weights-a": 1, "weights-b": 0})))
    until(lambda: answers(front, "/weights", "weights-a"))
    file.write_text(m.text(*rest, *m.routed("weights", **{"weights-a": 0, "weights-b": 1})))
    until(lambda: answers(front, "/weights", "weights-b"))
    assert {ask(front, "/weights").node for _ in range(20)} == {"weights-b"}


def test_a_removed_route(front: str, folder: Path) -> None:
    file = folder / "removed.yaml"
    file.write_text(m.text(*m.shop("removed")))
    until(lambda: answers(front, "/removed", "removed"))
    file.write_text(m.text(*m.shop("removed")[1:]))
    until(lambda: ask(front, "/removed").status == 404)
    assert answers(front, "/steady", "steady")


def test_a_removed_file(front: str, folder: Path) -> None:
    file = folder / "file.yaml"
    file.write_text(m.text(*m.shop("file")))
    until(lambda: answers(front, "/file", "file"))
    file.unlink()
    until(lambda: ask(front, "/file").status == 404)


def test_a_file_renamed_over_another(front: str, folder: Path) -> None:
    file = folder / "renamed.yaml"
    file.write_text(m.text(*m.shop("renamed")))
    until(lambda: answers(front, "/renamed", "renamed"))
    other = folder / ".renamed.yaml.swp"
    objects = [m.route("renamed", service="over"), m.service("over"), m.node("over")]
    other.write_text(m.text(*objects))
    other.rename(file)
    until(lambda: answers(front, "/renamed", "over"))


def test_a_file_in_a_new_folder(front: str, folder: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "new.json").write_text('{"apiVersion": "v1", "kind": "List"}')
    (folder / "deep" / "er" / "new.yaml").write_text(m.text(*m.shop("deep")))
    until(lambda: answers(front, "/deep", "deep"))


def test_a_second_gateway_gets_an_envoy_and_loses_it_with_its_manifest(
    up: Up, front: str, folder: Path
) -> None:
    (first,) = up.envoys()
    file = folder / "second.yaml"
    second = m.route("admin", service="steady", gateway="back")
    file.write_text(m.text(m.gateway("back", 8099), second))
    address = up.address("back")
    until(lambda: ask(address, "/admin").node == "steady")
    assert len(up.envoys()) == 2
    assert ask(front, "/admin").status == 404
    file.unlink()
    until(lambda: up.envoys() == [first], what="Envoys")
    with pytest.raises(ConnectionRefusedError):
        ask(address, "/admin")
    assert answers(front, "/steady", "steady")
    assert [proxy.gateway for proxy in up.status().proxies] == ["shop/front"]


def test_a_gateway_that_comes_back_serves_again(up: Up, folder: Path) -> None:
    file = folder / "back.yaml"
    for round_ in ("once", "twice"):
        routes = [m.route(round_, service="steady", gateway="again")]
        file.write_text(m.text(m.gateway("again", 8099), *routes))
        until(lambda: ask(up.address("again"), f"/{round_}").node == "steady", 20)  # noqa: B023
        file.unlink()
        until(lambda: len(up.envoys()) == 1, what="Envoys")


def test_a_gateway_that_takes_the_port_of_another(up: Up, folder: Path) -> None:
    file, port = folder / "port.yaml", free_port()
    first = m.gateway("one", port), m.route("one", service="steady", gateway="one")
    second = m.gateway("two", port), m.route("two", service="steady", gateway="two")
    file.write_text(m.text(*first))
    until(lambda: ask(f"127.0.0.1:{port}", "/one").node == "steady")
    file.write_text(m.text(*second))
    until(lambda: ask(f"127.0.0.1:{port}", "/two").node == "steady", 20)
    file.unlink()
    until(lambda: len(up.envoys()) == 1, what="Envoys")


def test_a_listener_added_to_a_running_gateway_at_a_moved_port(up: Up, folder: Path) -> None:
    file = folder / "listeners.yaml"
    old = m.route("grow", service="steady", gateway="grow", port=8099)
    file.write_text(m.text(m.gateway("grow", 8099), old))
    until(lambda: ask(up.address("grow"), "/grow").node == "steady")
    new = m.route("new", service="steady", gateway="grow", port=8088)
    file.write_text(m.text(m.gateway("grow", 8099, 8088), old, new))

    def answers_at_each() -> list[int]:
        (proxy,) = [p for p in up.status().proxies if p.gateway == "shop/grow"]
        return sorted(ask(address, "/new").status for address in proxy.addresses)

    until(lambda: answers_at_each() == [200, 404])
    file.unlink()
    until(lambda: len(up.envoys()) == 1, what="Envoys")


def test_a_gateway_whose_name_in_app_mesh_changes_keeps_serving(up: Up, folder: Path) -> None:
    file = folder / "name.yaml"
    rest = m.route("name", service="steady", gateway="name")
    file.write_text(m.text(m.gateway("name", 8099), rest))
    until(lambda: ask(up.address("name"), "/name").node == "steady")
    file.write_text(m.text(m.gateway("name", 8099, awsName="other"), rest))
    until(lambda: any("other" in p.node for p in up.status().proxies), 20, "the new node id")
    until(lambda: ask(up.address("name"), "/name").node == "steady")
    file.unlink()
    until(lambda: len(up.envoys()) == 1, what="Envoys")


def test_no_request_is_lost_in_50_edits(front: str, folder: Path) -> None:
    file = folder / "load.yaml"
    rest = [m.route("load"), m.node("load-0"), m.node("load-1")]

    def edit(number: int) -> None:
        weights = {f"load-{number % 2}": 1, f"load-{1 - number % 2}": 0}
        extra = m.route(f"extra-{number}", service="load")
        unfinished = folder / ".load.tmp"
        unfinished.write_text(m.text(*rest, extra, *m.routed("load", **weights)))
        unfinished.rename(file)

    edit(0)
    until(lambda: answers(front, "/load", "load-0"))
    stop = threading.Event()
    seen: Counter[str] = Counter()
    clients = [threading.Thread(target=_ask_on, args=(front, stop, seen)) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        for number in range(1, 51):
            edit(number)
            until(lambda: answers(front, "/load", f"load-{number % 2}"))  # noqa: B023
            assert ask(front, f"/extra-{number}").status == 200
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert set(seen) == {"200 load-0", "200 load-1"}, seen
    assert sum(seen.values()) > 500


def _ask_on(front: str, stop: threading.Event, seen: Counter[str]) -> None:
    host, _, port = front.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    while not stop.is_set():
        try:
            connection.request("GET", "/load")
            response = connection.getresponse()
            response.read()
            node = response.getheader("x-pointsman-virtual-node")
            seen[f"{response.status} {node}"] += 1
        except OSError as error:
            seen[repr(error)] += 1
            connection.close()
    connection.close()
