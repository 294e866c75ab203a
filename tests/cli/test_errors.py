"""Every way a command can be wrong ends with one line, a hint and its status."""

import re
from pathlib import Path

import pytest

from pointsman.app import offline
from tests.cli.conftest import Run

EXPLAIN = Path(__file__).parents[1] / "golden" / "explain"
COLORS, GRPC = EXPLAIN / "colors.yaml", EXPLAIN / "grpc.yaml"

WRONG = [
    (["chek"], "No such command 'chek'. Did you mean 'check'?", "pointsman --help"),
    (["check"], "Missing argument 'PATH'", "pointsman check --help"),
    (["check", "--nope", "x"], "No such option: --nope", "pointsman check --help"),
    (["explain", COLORS, "GET"], "there are no manifests to ask", "pointsman explain PATH"),
    (["check", "no/such/path"], "no/such/path does not exist", "files or folders"),
    (["check", COLORS, "--var", "X"], "--var X: not NAME=VALUE", "--var NAMESPACE="),
    (["check", COLORS, "--var", "1=2"], "--var 1=2: not NAME=VALUE", "--var NAMESPACE="),
    (
        ["check", COLORS, "--resolve", "x=y"],
        "--resolve x=y: not HOST:PORT=ADDR:PORT",
        "for example",
    ),
    (["up", COLORS, "--metrics", "x"], "--metrics x: neither a port nor ADDR:PORT", "9600"),
    (["up", COLORS, "--metrics", "99999"], "--metrics 99999: neither a port", "9600"),
    (["up", COLORS, "--metrics", "x:1"], "--metrics x: not an IP address", "0.0.0.0 for all"),
    (["explain", COLORS, "GET", "/", "-H", "x"], "-H 'x': not a header", "for example -H"),
    (["explain", COLORS, "G-T", "/"], "G-T is not a method", "METHOD URL"),
    (["explain", COLORS, "GET", "ftp://x/"], "ftp://x/ is not an HTTP URL", "/path alone"),
    (["explain", COLORS, "GET", "x/y"], "x/y is not an HTTP URL", "/path alone"),
    (["explain", COLORS, "GET", "http://x:p/"], "http://x:p/ is not a URL", "/path alone"),
    (["explain", COLORS, "GET", "/", "--port", "1"], "no listener on port 1", "its ports: 8088"),
    (["explain", COLORS, "GET", "/", "--gateway", "x"], "no virtual gateway x", "colors/front"),
    (["explain", GRPC, "GET", "/"], "which of 2 virtual gateways?", "with --gateway: grpc/front"),
    (
        ["explain", GRPC, "GET", "/", "--gateway", "front"],
        "which listener of virtual gateway grpc/front?",
        "name one with --port; its ports: 9000, 9001",
    ),
    (["render", GRPC], "which of 2 virtual gateways?", "--node: mesh/grpc/virtualGateway/front"),
    (
        ["render", COLORS, "--node", "mesh/x"],
        "no virtual gateway or node mesh/x",
        "mesh/colors/virtual",
    ),
    (["render", COLORS, "--admin-port", "0"], "Invalid value for '--admin-port'", "render --help"),
]


@pytest.mark.parametrize(("arguments", "message", "hint"), WRONG)
def test_wrong_use_is_one_line_and_a_hint(
    arguments: list[object], message: str, hint: str, run: Run
) -> None:
    ended = run(*arguments)
    *problems, first, second = ended.err.splitlines()
    assert ended.status == 2
    assert ended.out == ""
    assert first.startswith("pointsman: ")
    assert message in first
    assert second.startswith("hint: ")
    assert hint in second
    assert all(not line.startswith("pointsman: ") for line in problems)


def test_manifests_without_gateway_lead_to_check(run: Run, tmp_path: Path) -> None:
    ended = run("explain", tmp_path, "GET", "/")
    assert ended.status == 2
    assert "no virtual gateway in these manifests" in ended.err
    assert "hint: run pointsman check" in ended.err


def test_a_fault_of_its_own_is_one_line_unless_debug_is_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("of\nall things")

    monkeypatch.setattr(offline, "load", fails)
    ended = run("check", COLORS)
    assert ended.status == 70
    assert ended.err.splitlines() == [
        "pointsman: a fault of Pointsman itself: ZeroDivisionError: of all things",
        "hint: please report it, with what the same command prints when --debug is added",
    ]
    with pytest.raises(ZeroDivisionError):
        run("check", COLORS, "--debug")


def test_interruption_is_quiet(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(offline, "load", interrupted)
    ended = run("check", COLORS)
    assert (ended.status, ended.out, ended.err) == (130, "", "")


def test_version_and_help(run: Run) -> None:
    assert re.fullmatch(r"pointsman \d+\.\d+\.\d+\n", run("--version").out)
    assert run().out == run("--help").out
    for command in ("up", "check", "explain", "render", "status"):
        ended = run(command, "--help")
        assert ended.status == 0
        assert "Examples:\n" in ended.out
        assert f"    pointsman {command}" in ended.out


def test_an_address_of_redis_is_not_repeated_for_it_may_have_a_password(run: Run) -> None:
    done = run("serve", COLORS, "--xds", "127.0.0.1:0", "--quota-store", "mysql://me:hush@there")
    assert done.status == 2
    assert "--quota-store: not an address of Redis" in done.err
    assert "hush" not in done.err
