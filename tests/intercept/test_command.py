"""The command with stand-ins for the programs of iptables: no privilege is needed here."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.cli.main import main
from pointsman.intercept import tables

Stub = Callable[[str, str], None]
GOLDEN = Path(__file__).with_name("golden")
SAYS_NOTHING = "exit 0"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("APPMESH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Puts a shell script in the place of a program; there are no others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tables, "SYSTEM_FOLDERS", str(tmp_path))

    def stub(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return stub


def test_what_was_done_is_said(
    stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("iptables", "ip6tables"):
        stub(f"{name}-save", SAYS_NOTHING)
        stub(f"{name}-restore", f"/bin/cat > {tmp_path}/{name}.fed")
    assert main(["intercept", "--app-port", "8080", "--ignore-address", "10.1.2.3/8"]) == 0
    assert capsys.readouterr().out == (
        "intercepts TCP over IPv4 and IPv6\n"
        "  inbound   port 8080 to 15000\n"
        "  outbound  to 15001\n"
        "  direct    user 1337; port 22; to 169.254.169.254, fd00:ec2::254, 10.0.0.0/8\n"
    )
    assert "-d 10.0.0.0/8 -j RETURN" in (tmp_path / "iptables.fed").read_text()
    assert "-d fd00:ec2::254/128 -j RETURN" in (tmp_path / "ip6tables.fed").read_text()


def test_nothing_inbound_is_said(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub("iptables-save", SAYS_NOTHING)
    stub("iptables-restore", SAYS_NOTHING)
    assert main(["intercept", "--no-ipv6"]) == 0
    assert "inbound   nothing, without --app-port" in capsys.readouterr().out


@pytest.mark.usefixtures("stub")
def test_without_iptables_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["intercept", "--app-port", "8080"]) == 1
    said = capsys.readouterr().err
    assert "cannot read the IPv4 rules: iptables-save is not installed" in said
    assert "hint: it is in the package iptables; --dry-run works without" in said


@pytest.mark.usefixtures("stub")
def test_a_dry_run_needs_neither_iptables_nor_root(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["intercept", "--app-port", "8080", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    ipv4, ipv6 = (GOLDEN / "one-app.txt").read_text().split("\n\n")
    assert out == (
        f"# iptables-restore --noflush --wait=10\n{ipv4}\n"
        f"# ip6tables-restore --noflush --wait=10\n{ipv6}"
    )
    assert "iptables-save is not installed; shown is what a first run does" in err


def test_where_nothing_is_there_removal_feeds_nothing(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub("iptables-save", SAYS_NOTHING)
    stub("ip6tables-save", SAYS_NOTHING)
    assert main(["intercept", "--remove", "--dry-run"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(["intercept", "--remove"]) == 0


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Could not fetch rule set generation id: Permission denied (you must be root)", "root"),
        ("can't initialize iptables table `nat': Table does not exist", "may lack a module"),
        ("Couldn't load match `owner':No such file or directory", "may lack a module"),
        ("No chain/target/match by that name.", "may lack a module"),
        ("Failed to initialize nft: Protocol not supported", "may lack a module"),
    ],
)
def test_why_it_failed_is_quoted_and_explained(
    said: str, hint: str, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub("iptables-save", SAYS_NOTHING)
    stub("ip6tables-save", SAYS_NOTHING)
    stub("iptables-restore", f"/bin/cat <<'END' >&2\n{said}\nTry `it -h' for more.\nEND\nexit 1")
    assert main(["intercept", "--app-port", "8080"]) == 1
    message, advice = capsys.readouterr().err.splitlines()
    assert message == f"pointsman: cannot change the IPv4 rules: {said}"
    assert advice.startswith("hint: ")
    assert hint in advice


def test_a_machine_without_ipv6_is_served_without_it(
    stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub("iptables-save", SAYS_NOTHING)
    stub("iptables-restore", SAYS_NOTHING)
    stub("ip6tables-save", "echo 'Address family not supported by protocol' >&2; exit 1")
    assert main(["intercept", "--app-port", "8080"]) == 1
    assert "--no-ipv6 leaves IPv6 out" in capsys.readouterr().err
    assert main(["intercept", "--app-port", "8080", "--no-ipv6"]) == 0
    assert main(["intercept", "--remove", "--no-ipv6"]) == 0


def test_a_program_that_does_not_end_is_ended(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tables, "LONGEST_RUN_S", 0.1)
    stub("iptables-save", "exec /bin/sleep 60")
    assert main(["intercept", "--app-port", "8080"]) == 1
    assert "iptables-save did not end within 0.1 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message", "hint"),
    [
        (["--remove", "--app-port", "80"], "--remove takes away everything", "--no-ipv6"),
        (["--app-port", "15001"], "app port 15001 is Envoy's own", "move Envoy's"),
        (["--app-port", "0"], "Invalid value for '--app-port'", "intercept --help"),
        (["--ignore-address", "db.shop"], "'db.shop' is neither an IP address", "not resolved"),
        (["--egress-port", "15000"], "port 15000 cannot take both", "15001"),
    ],
)
def test_wrong_use_is_one_line_and_a_hint(
    flags: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["intercept", *flags]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert message in first
    assert hint in second


def test_without_anybody_ignored_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPMESH_IGNORE_UID", "")
    assert main(["intercept", "--app-port", "8080", "--dry-run"]) == 2
    assert "Envoy's connections would come back to it" in capsys.readouterr().err


def test_it_can_be_switched_off_by_a_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPMESH_START_ENABLED", "0")
    assert main(["intercept", "--app-port", "8080"]) == 0
    assert capsys.readouterr() == ("", "APPMESH_START_ENABLED is 0: nothing was changed\n")
