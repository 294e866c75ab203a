"""The kernel's tables before, during and after, with both variants of iptables."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.intercept.conftest import SOURCES, Host
from tests.support.wait import eventually

pytestmark = pytest.mark.netns
FOREIGN = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:THEIRS - [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j THEIRS
-A OUTPUT -p tcp -m comment --comment "not \\"POINTSMAN_EGRESS\\"" -j THEIRS
-A THEIRS -j RETURN
COMMIT
"""
FAMILIES = ("", "6")


@pytest.fixture(params=["nft", "legacy"])
def variant(request: pytest.FixtureRequest, host: Host) -> Host:
    """The host, with one variant of iptables as the one there is."""
    for name in ("iptables", "ip6tables"):
        for task in ("save", "restore"):
            program = shutil.which(f"{name}-{request.param}-{task}", path="/usr/sbin:/sbin")
            if program is None:
                pytest.skip(f"the {request.param} variant of iptables is not installed")
            (host.programs / f"{name}-{task}").symlink_to(program)
    return host


def jumps(saved: list[str]) -> list[str]:
    return [line for line in saved if re.search("^-A (PREROUTING|OUTPUT) .*-j POINTSMAN_", line)]


def test_removal_restores_what_was_there_before(variant: Host) -> None:
    for family in FAMILIES:
        variant.restore(FOREIGN, family)
    before = [variant.save(family) for family in FAMILIES]
    assert "-A THEIRS -j RETURN" in before[0]
    variant.intercept("--app-port", 8080)
    assert all("POINTSMAN" in "".join(variant.save(family)) for family in FAMILIES)
    for _ in range(2):
        variant.intercept("--remove")
        assert [variant.save(family) for family in FAMILIES] == before


def test_a_second_run_changes_nothing_and_another_one_replaces(variant: Host) -> None:
    for family in FAMILIES:
        variant.restore(FOREIGN, family)
    variant.intercept("--app-port", 8080)
    once = [variant.save(family) for family in FAMILIES]
    variant.intercept("--app-port", 8080)
    assert [variant.save(family) for family in FAMILIES] == once
    variant.intercept("--egress-port", 16001)
    for family in FAMILIES:
        saved = variant.save(family)
        assert len(jumps(saved)) == 1
        assert not any("15001" in line or "8080 -j REDIRECT" in line for line in saved)


def test_ours_come_before_others_rules(variant: Host) -> None:
    variant.restore(FOREIGN)
    variant.intercept("--app-port", 8080)
    for chain in ("PREROUTING", "OUTPUT"):
        first, second = (line for line in variant.save() if line.startswith(f"-A {chain} "))
        assert "-j POINTSMAN_" in first
        assert second.endswith("-j THEIRS")


def test_duplicates_of_our_jumps_are_mended(variant: Host) -> None:
    variant.intercept("--app-port", 8080)
    variant.app.run("iptables-restore", "--noflush", stdin=again(), env={"PATH": variant.path})
    assert len(jumps(variant.save())) == 3
    variant.intercept("--app-port", 8080)
    assert len(jumps(variant.save())) == 2


def again() -> str:
    return "*nat\n-A OUTPUT -p tcp -j POINTSMAN_EGRESS\nCOMMIT\n"


async def test_runs_at_the_same_time_leave_one_set_of_rules(host: Host, tmp_path: Path) -> None:
    saved, go_on = tmp_path / "saved", tmp_path / "go-on"
    os.mkfifo(go_on)
    # The first run has read the tables, and stays there until it is told to go on.
    slow = f"#!/bin/sh\n/usr/sbin/iptables-save\ntouch {saved}\nread line < {go_on}\n"
    host.program("iptables-save", slow)
    command = (sys.executable, "-m", "pointsman.cli", "intercept", "--app-port", 8080)
    env = {"PYTHONPATH": str(SOURCES)}
    with host.app.started(*command, env={**env, "PATH": host.path}) as first:
        await eventually(saved.exists)
        with host.app.started(*command, env=env) as second:

            def waits() -> bool:
                assert second.poll() is None, "it did not wait for the other one"
                return f"FLOCK  ADVISORY  WRITE {second.pid} " in Path("/proc/locks").read_text()

            await eventually(waits)
            go_on.write_text("now\n")
            assert (first.wait(30), second.wait(30)) == (0, 0)
    (host.programs / "iptables-save").unlink()
    assert [len(jumps(host.save(family))) for family in FAMILIES] == [2, 2]


@pytest.mark.parametrize("earlier", [(), ("--egress-port", "16001")])
def test_when_ipv6_fails_ipv4_is_as_before(variant: Host, earlier: tuple[str, ...]) -> None:
    if earlier:
        variant.intercept(*earlier)
    before = [variant.save(family) for family in FAMILIES]
    broken = "#!/bin/sh\necho 'Table does not exist (do you need to insmod?)' >&2\nexit 3\n"
    variant.program("ip6tables-restore", broken)
    said = variant.intercept("--app-port", 8080, status=1)
    assert "cannot change the IPv6 rules: Table does not exist" in said
    assert "may lack a module" in said
    assert "--no-ipv6" in said
    assert [variant.save(family) for family in FAMILIES] == before


def test_without_the_privilege_it_says_so(variant: Host) -> None:
    said = variant.intercept("--app-port", 8080, uid=1000, status=1)
    assert "cannot read the IPv4 rules" in said
    assert "hint: it takes root with the capability NET_ADMIN" in said


def test_a_dry_run_shows_what_is_fed_and_changes_nothing(variant: Host, tmp_path: Path) -> None:
    variant.intercept("--app-port", 8080)
    before = variant.save()
    shown = variant.intercept("--app-port", 8081, "--dry-run")
    assert variant.save() == before
    fed = tmp_path / "fed"
    for name in ("iptables-restore", "ip6tables-restore"):
        real = (variant.programs / name).readlink()
        copying = f'#!/bin/sh\n(echo "# {name} $@"; cat) | tee -a {fed} | {real} "$@"\n'
        variant.program(name, copying)
    variant.intercept("--app-port", 8081)
    assert shown == fed.read_text()


def test_a_dry_run_makes_no_table(variant: Host) -> None:
    variant.intercept("--app-port", 8080, "--dry-run")
    assert variant.app.run("iptables-save", env={"PATH": variant.path}).stdout == ""


def test_variables_of_proxyinit_are_defaults(host: Host) -> None:
    pod = {"APPMESH_APP_PORTS": "8080,8081", "APPMESH_ENABLE_IPV6": "0"}
    host.intercept(variables=pod)
    assert sum("--to-ports 15000" in line for line in host.save()) == 2
    assert jumps(host.save("6")) == []
    host.intercept("--app-port", 9090, variables=pod)
    assert sum("--to-ports 15000" in line for line in host.save()) == 1


def test_rules_that_iptables_cannot_read_are_left_alone(host: Host) -> None:
    if shutil.which("nft", path="/usr/sbin:/sbin") is None:
        pytest.skip("nft is not installed")
    host.app.run("nft", "-f", "-", stdin=NFT)
    before = host.app.run("nft", "list", "ruleset").stdout
    said = host.intercept("--app-port", 8080, status=1)
    assert "the table nat holds what iptables does not know" in said
    assert host.app.run("nft", "list", "ruleset").stdout == before


NFT = """
table ip nat {
  set ports { type inet_service; elements = { 80, 81 } }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport @ports redirect to :98
  }
}
"""
