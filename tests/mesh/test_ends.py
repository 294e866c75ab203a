"""What goes on when something of a mesh ends at once."""

import os
import signal

import pytest

from tests.mesh.conftest import COLOR, NODES, STRANGER, Mesh
from tests.mesh.place import load_of
from tests.support.up import until

pytestmark = [pytest.mark.netns, pytest.mark.envoy, pytest.mark.xdist_group("mesh")]

BLUE = ("200 blue-1", "200 blue-2")


def test_without_the_control_plane_traffic_goes_on(mesh: Mesh) -> None:
    front = mesh["front"]
    front.do("load", host=COLOR, port=8080)
    until(lambda: sum(front.do("seen").values()) > 20, 20)
    mesh.control.send(signal.SIGKILL)
    mesh.control.wait()
    until(lambda: front.count("control_plane.connected_state") == 0)
    before = sum(front.do("seen").values())
    until(lambda: sum(front.do("seen").values()) > before + 50, 20)
    mesh.serve()
    for name in NODES:
        until(lambda name=name: mesh[name].count("control_plane.connected_state") == 1, 40)  # type: ignore[misc]
    mesh.allow_all()
    until(lambda: front.ask(STRANGER, 9080).short == (200, "outside"), 20)
    seen = front.do("stop")
    assert load_of(seen, *BLUE) == {}, seen
    assert sum(seen.values()) > 70


def test_a_proxy_that_is_killed_comes_back_and_the_others_go_on(mesh: Mesh) -> None:
    front, red = mesh["front"], mesh["red"]
    front.do("load", host=COLOR, port=8080)
    (before,) = red.envoys()
    os.kill(before, signal.SIGKILL)
    assert front.ask(COLOR).short[0] == 200
    until(lambda: red.envoys() not in ([], [before]), 20)
    red.wait_ready()
    until(lambda: front.ask(COLOR, headers={"color": "red"}).short == (200, "red"), 20)
    seen = front.do("stop")
    assert load_of(seen, *BLUE) == {}, seen


def test_one_of_two_machines_without_its_application_is_ejected(mesh: Mesh) -> None:
    front, blue = mesh["front"], mesh["blue-1"]
    outlier = "cds_egress_shop_blue_shop_http_8080.outlier_detection."
    before = front.count(f"{outlier}ejections_enforced_total")
    until(lambda: front.ask(COLOR).short == (200, "blue-1"), 20)
    # Nothing is under way at the kill: half an answer can be neither mended nor tried again.
    blue.kill("app")
    front.do("load", host=COLOR, port=8080)
    until(lambda: front.count(f"{outlier}ejections_active") == 1, 20)
    assert front.count(f"{outlier}ejections_enforced_total") > before
    assert {front.ask(COLOR).short for _ in range(3)} == {(200, "blue-2")}
    mesh.stack.enter_context(blue.application())
    until(lambda: front.count(f"{outlier}ejections_active") == 0, 20)
    until(lambda: front.ask(COLOR).short == (200, "blue-1"), 20)
    seen = front.do("stop")
    # The proxy of the dead one says 503; each is tried again, on the other one.
    assert load_of(seen, *BLUE) == {}, seen
