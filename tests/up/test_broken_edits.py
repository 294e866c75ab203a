"""An edit that is broken changes nothing that is served, and is told with its place."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up import Up, ask, free_port, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-broken")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "mesh.yaml").write_text(m.text(m.mesh(), m.gateway("front", 8088)))
    (folder / "steady.yaml").write_text(m.text(*m.shop("steady")))
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with running(folder, "--echo", "--listen", "8088=0") as up:
        yield up


@pytest.fixture(scope="module")
def front(up: Up) -> str:
    return up.address("front")


BROKEN = {
    "syntax": ("kind: GatewayRoute", "kind: [GatewayRoute", r":\d+:\d+: error PM101"),
    "reference": ("          name: ITEM", "          name: nobody", r":15:\d+: error PM307"),
    "type": ("prefix: /ITEM", "prefix: [/ITEM]", r":11:\d+: error PM202"),
    "regex": ("prefix: /ITEM", "path: {regex: '/ITEM('}", r":11:\d+: error PM210"),
    "lookahead": ("prefix: /ITEM", "path: {regex: '/(?=ITEM)'}", r":11:\d+: error PM210"),
    "tab": ("      prefix: /ITEM", "\tprefix: /ITEM", r":11:1: error PM101"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_last_good_version_serves_until_the_edit_is_mended(
    up: Up, front: str, folder: Path, name: str
) -> None:
    old, new, told = BROKEN[name]
    file = folder / f"{name}.yaml"
    good = m.text(*m.shop(name))
    file.write_text(good)
    until(lambda: ask(front, f"/{name}").node == name)
    broken = good.replace(old.replace("ITEM", name), new.replace("ITEM", name), 1)
    assert broken != good
    before = len(up.said)
    file.write_text(broken)
    up.says(rf"{name}\.yaml{told}", since=before)
    up.says(rf"{name}\.yaml: live except what has errors", since=before)
    assert ask(front, f"/{name}").node == name
    assert ask(front, "/steady").node == "steady"
    before = len(up.said)
    file.write_text(good)
    up.says("no problems any more", since=before)
    assert ask(front, f"/{name}").node == name


def test_a_deleted_service_is_kept_while_something_needs_it(
    up: Up, front: str, folder: Path
) -> None:
    file, other = folder / "needs.yaml", folder / "needed.yaml"
    route, service, node = m.shop("needs")
    file.write_text(m.text(route, node))
    other.write_text(m.text(service))
    until(lambda: ask(front, "/needs").node == "needs")
    before = len(up.said)
    other.unlink()
    up.says(
        r"needs\.yaml:\d+:\d+: error PM307: there is no VirtualService shop/needs", since=before
    )
    assert ask(front, "/needs").node == "needs"
    file.unlink()
    until(lambda: ask(front, "/needs").status == 404)


def test_a_route_that_was_broken_from_the_start_answers_503(front: str, folder: Path) -> None:
    file = folder / "never.yaml"
    file.write_text(m.text(m.route("never")))
    until(lambda: ask(front, "/never").status == 503)
    file.unlink()
    until(lambda: ask(front, "/never").status == 404)


def test_status_shows_the_problem_while_it_lasts(up: Up, front: str, folder: Path) -> None:
    file = folder / "shown.yaml"
    file.write_text(m.text(*m.shop("shown")[:1]))
    until(lambda: [p.code for p in up.status().problems] == ["PM307"])
    (problem,) = up.status().problems
    assert problem.file == str(file)
    assert problem.line is not None
    file.unlink()
    until(lambda: up.status().problems == ())
    assert ask(front, "/steady").node == "steady"


def test_a_listener_whose_port_is_taken_is_left_out_and_the_rest_applied(
    up: Up, front: str, folder: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        taken, free = theirs.getsockname()[1], free_port()
        file = folder / "taken.yaml"
        before = len(up.said)
        routes = [
            m.route(f"at-{port}", service="steady", gateway="side", port=port)
            for port in (taken, free)
        ]
        file.write_text(m.text(m.gateway("side", taken, free), *routes))
        up.says(rf"error PM603: gateway shop/side cannot listen on 127.0.0.1:{taken}", since=before)
        until(lambda: ask(f"127.0.0.1:{free}", f"/at-{free}").node == "steady")
        assert ask(front, "/steady").node == "steady"
        assert [p.code for p in up.status().problems] == ["PM603"]
        assert all(t.nacks == 0 for proxy in up.status().proxies for t in proxy.types)
    file.write_text(m.text(m.gateway("side", free, taken), *routes))
    until(lambda: ask(f"127.0.0.1:{taken}", f"/at-{taken}").node == "steady")
    assert up.status().problems == ()
    file.unlink()
    until(lambda: len(up.envoys()) == 1)


def test_a_port_of_another_gateway_stays_with_it(up: Up, front: str, folder: Path) -> None:
    port = free_port()
    file, other = folder / "owner.yaml", folder / "a-thief.yaml"
    file.write_text(
        m.text(m.gateway("owner", port), m.route("o", service="steady", gateway="owner"))
    )
    until(lambda: ask(f"127.0.0.1:{port}", "/o").node == "steady")
    before = len(up.said)
    other.write_text(m.text(m.gateway("a", port), m.route("t", service="steady", gateway="a")))
    up.says(rf"error PM603: gateway shop/a cannot .*:{port}: shop/owner has it", since=before)
    up.says(r"a-thief\.yaml: live", since=before)
    assert {ask(f"127.0.0.1:{port}", "/o").node for _ in range(20)} == {"steady"}
    assert ask(front, "/steady").node == "steady"
    file.unlink()
    until(lambda: ask(f"127.0.0.1:{port}", "/t").node == "steady")
    other.unlink()
    until(lambda: len(up.envoys()) == 1)


def test_a_file_that_is_written_in_pieces(front: str, folder: Path) -> None:
    text = m.text(*m.shop("pieces"))
    with (folder / "pieces.yaml").open("w") as file:
        for start in range(0, len(text), 100):
            file.write(text[start : start + 100])
            file.flush()
    until(lambda: ask(front, "/pieces").node == "pieces")
