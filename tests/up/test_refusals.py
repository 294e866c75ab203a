"""What cannot be is told in one clear line, with the right exit status."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointsman.cli.main import main
from tests.support.up import Up, ask, free_port, running, starting, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-refusals")]


@contextmanager
def refused(*arguments: str | Path, status: int, says: str, **settings: str) -> Iterator[Up]:
    """A run that ends by itself, with one line and perhaps a hint after its progress."""
    with starting(*arguments, environment=settings) as up:
        assert up.wait(30) == status, up.text
        up.says(rf"^pointsman: {says}")
        told = [line for line in up.said if not line.rstrip().endswith("…")]
        assert len(told) == 1 or (len(told) == 2 and told[1].startswith("hint: ")), up.text
        assert up.left_behind() == []
        yield up


def shop(folder: Path, *ports: int) -> Path:
    gateways = [m.gateway(f"g{index}", port) for index, port in enumerate(ports)]
    (folder / "mesh.yaml").write_text(m.text(m.mesh(), *gateways))
    return folder


def test_a_port_of_another_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        port = theirs.getsockname()[1]
        says = rf"gateway shop/g0 cannot listen on 127\.0\.0\.1:{port}: Address already in use"
        with refused(shop(tmp_path, port), status=2, says=says) as up:
            assert f"--listen g0:{port}=0" in up.text


def test_a_port_of_another_gateway(tmp_path: Path) -> None:
    port = free_port()
    says = rf"gateway shop/g1 cannot listen on 127\.0\.0\.1:{port}: shop/g0 has it"
    with refused(shop(tmp_path, port, port), status=2, says=says):
        pass


def test_two_listeners_moved_to_one_port(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "mesh.yaml").write_text(m.text(m.mesh(), m.gateway("g", 80, 81)))
    moves = ["--listen", f"80={port}", "--listen", f"81={port}"]
    says = rf"gateway shop/g cannot listen on 127\.0\.0\.1:{port}: its listener 80 has it"
    with refused(tmp_path, *moves, status=2, says=says):
        pass


def test_a_port_of_another_run(tmp_path: Path) -> None:
    port = free_port()
    folder = shop(tmp_path, port)
    with running(folder) as first:
        with refused(folder, status=2, says=rf"gateway shop/g0 cannot listen on .*:{port}: "):
            pass
        assert ask(first.address(), "/").status == 404


def test_two_runs_at_once(tmp_path: Path) -> None:
    folder = shop(tmp_path, free_port())
    with running(folder) as first, running(folder, "--listen", f"{_port(folder)}=0") as second:
        assert ask(first.address(), "/").status == 404
        assert ask(second.address(), "/").status == 404
        assert first.address() != second.address()


def _port(folder: Path) -> str:
    found = re.search(r"port: (\d+)", (folder / "mesh.yaml").read_text())
    assert found is not None
    return found[1]


def test_no_envoy(tmp_path: Path) -> None:
    says = "the Envoy named by POINTSMAN_ENVOY does not exist: /nonexistent"
    with refused(shop(tmp_path, 80), status=3, says=says, POINTSMAN_ENVOY="/nonexistent"):
        pass


def test_another_program_in_place_of_envoy(tmp_path: Path) -> None:
    says = "the Envoy named by POINTSMAN_ENVOY is some other program: /bin/true"
    with refused(shop(tmp_path, 80), status=3, says=says, POINTSMAN_ENVOY="/bin/true"):
        pass


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with refused(tmp_path / "none.yaml", status=2, says=r".*none\.yaml does not exist"):
        pass


def test_a_file_that_cannot_be_read() -> None:
    says = "/proc/self/mem cannot be read: Input/output error"
    with refused("/proc/self/mem", status=2, says=says):
        pass


def test_an_address_this_machine_does_not_have(tmp_path: Path) -> None:
    says = r"gateway shop/g0 cannot listen on 192\.0\.2\.1:80: Cannot assign requested address"
    with refused(shop(tmp_path, 80), "--bind", "192.0.2.1", status=2, says=says):
        pass


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "x"], "--listen x: not of the form"),
        (["--listen", "80=99999"], "--listen 80=99999: not of the form"),
        (["--bind", "here"], "--bind here: not an IP address"),
        (["--var", "x"], "--var x: not NAME=VALUE"),
        (["--resolve", "x"], "--resolve x: not HOST:PORT=ADDR:PORT"),
        (["--echo", "--echo-flag", "speed=9"], "a demo backend has no 'speed'"),
        (["--echo-flag", "g:status=99"], "a demo backend cannot do this: status is 99"),
        (["--concurrency", "0"], ".*concurrency"),
        (["--frobnicate"], ".*--frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_make_no_sense(
    tmp_path: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", str(shop(tmp_path, 80)), *arguments]) == 2
    assert re.match(f"pointsman: {says}", capsys.readouterr().err)


def test_an_empty_folder_is_served_once_there_is_something(tmp_path: Path) -> None:
    with running(tmp_path, "--echo") as up:
        up.says("nothing to serve: no VirtualGateway belongs to a mesh")
        port = free_port()
        file = tmp_path / "mesh.yaml"
        file.write_text(m.text(m.mesh(), m.gateway("front", port), *m.shop("web")))
        until(lambda: ask(f"127.0.0.1:{port}", "/web").node == "web")


def test_a_gateway_outside_any_mesh(tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(m.text(m.gateway("front", 80)))
    with running(tmp_path) as up:
        assert "error PM301" in up.text
        assert "nothing to serve" in up.text
