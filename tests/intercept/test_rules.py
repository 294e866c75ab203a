"""What is fed to iptables-restore, without a kernel."""

import shlex
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.errors import UsageError
from pointsman.intercept.interception import Interception, parse_network
from pointsman.intercept.rules import NOTHING, Family, Rules, change, installed, rules_of
from tests.conftest import Golden

GOLDEN = Path(__file__).with_name("golden")
CASES = {
    "one-app": Interception(app_ports=(8080,)),
    "no-app": Interception(),
    "ipv4-only": Interception(app_ports=(8080,), ipv6=False),
    "everything": Interception(
        app_ports=(8080, 8081, 8080),
        ingress_port=16000,
        egress_port=16001,
        ignored_uids=(1337, 0),
        ignored_gids=(7,),
        ignored_ports=(22, 5432, 22),
        ignored_addresses=(parse_network("10.1.2.3/8"), parse_network("fd00::/8")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rules_of_a_first_run(name: str, golden: Golden) -> None:
    inputs = [change(NOTHING, rules_of(CASES[name], family)) for family in Family]
    golden.check(GOLDEN / f"{name}.txt", "\n".join(inputs))


def test_a_second_run_replaces_and_a_removal_clears(golden: Golden) -> None:
    here = rules_of(CASES["one-app"], Family.IPV4)
    again = change(here, rules_of(Interception(egress_port=9), Family.IPV4))
    golden.check(GOLDEN / "again.txt", again)
    golden.check(GOLDEN / "remove.txt", change(here, NOTHING))
    assert change(NOTHING, NOTHING) == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ignored_uids": ()}, "neither a user nor a group"),
        ({"app_ports": (0,)}, "0 is not a port"),
        ({"ignored_ports": (65536,)}, "65536 is not a port"),
        ({"ignored_gids": (-1,)}, "-1 is not a user or group"),
        ({"ignored_uids": (2**32 - 1,)}, "is not a user or group"),
        ({"ingress_port": 15001}, "cannot take both directions"),
        ({"app_ports": (15001,)}, "would be sent to itself"),
        ({"app_ports": (15000,)}, "would be sent to itself"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Interception(**wrong)  # type: ignore[arg-type]


def test_a_group_alone_will_do() -> None:
    rules = rules_of(Interception(ignored_uids=(), ignored_gids=(7,)), Family.IPV4).rules
    assert rules[0] == "POINTSMAN_EGRESS -m owner --gid-owner 7 -j RETURN"


@pytest.mark.parametrize("text", ["example.com", "10.0.0.0/33", "", "1.2.3"])
def test_only_addresses_are_addresses(text: str) -> None:
    with pytest.raises(UsageError, match="neither an IP address nor a network"):
        parse_network(text)


class Table:
    """The table `nat`, changed by what `iptables-restore --noflush` would be fed."""

    def __init__(self, foreign: list[str]) -> None:
        self.chains: dict[str, list[str]] = {"PREROUTING": [], "OUTPUT": [], "THEIRS": []}
        for rule in foreign:
            self._rule("-A", rule)

    def feed(self, text: str) -> None:
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word.startswith(":"):
                self.chains[word[1:]] = []
            elif word == "-F":
                self.chains[rest].clear()
            elif word == "-X":
                assert self.chains.pop(rest) == []
                assert not any(rest in shlex.split(rule) for rule in self._rules())
            elif word.startswith("-"):
                self._rule(word, rest)

    def _rule(self, word: str, text: str) -> None:
        chain, _, rule = text.partition(" ")
        if word == "-D":
            self.chains[chain].remove(rule)
        else:
            self.chains[chain].insert(0 if word == "-I" else len(self.chains[chain]), rule)

    def _rules(self) -> list[str]:
        return [f"{chain} {rule}" for chain, rules in self.chains.items() for rule in rules]

    def saved(self) -> str:
        heads = [f":{chain} - [0:0]" for chain in self.chains]
        return "\n".join(["*nat", *heads, *(f"-A {rule}" for rule in self._rules()), "COMMIT"])


ports = st.integers(1, 14999)
interceptions = st.builds(
    Interception,
    app_ports=st.lists(ports, max_size=3).map(tuple),
    ignored_uids=st.lists(st.integers(0, 2**32 - 2), min_size=1, max_size=3).map(tuple),
    ignored_gids=st.lists(st.integers(0, 2**32 - 2), max_size=2).map(tuple),
    ignored_ports=st.lists(ports, max_size=3).map(tuple),
    ignored_addresses=st.lists(
        st.sampled_from([ip_network("10.0.0.0/8"), ip_network("fd00::/8")]), max_size=2
    ).map(tuple),
    ipv6=st.booleans(),
)
FOREIGN = [
    "OUTPUT -p tcp -j THEIRS",
    "OUTPUT -p tcp -j REDIRECT --to-ports 15001",
    'PREROUTING -m comment --comment "not -j POINTSMAN_INGRESS" -j THEIRS',
    "THEIRS -j RETURN",
]


@given(
    runs=st.lists(interceptions, min_size=1, max_size=4),
    family=st.sampled_from(Family),
    foreign=st.lists(st.sampled_from(FOREIGN), max_size=6),
)
def test_only_the_last_run_counts_and_others_rules_stay(
    runs: list[Interception], family: Family, foreign: list[str]
) -> None:
    table = Table(foreign)
    untouched = table.saved()
    for run in runs:
        table.feed(change(installed(table.saved()), rules_of(run, family)))
    once = Table(foreign)
    once.feed(change(NOTHING, rules_of(runs[-1], family)))
    assert table.chains == once.chains
    table.feed(change(installed(table.saved()), NOTHING))
    assert table.saved() == untouched


@given(before=interceptions, after=interceptions, family=st.sampled_from(Family))
def test_a_run_can_be_taken_back(before: Interception, after: Interception, family: Family) -> None:
    table = Table(FOREIGN)
    table.feed(change(NOTHING, rules_of(before, family)))
    here = installed(table.saved())
    chains = {name: list(rules) for name, rules in table.chains.items()}
    table.feed(change(here, rules_of(after, family)))
    table.feed(change(installed(table.saved()), here))
    assert table.chains == chains


def test_every_way_into_our_chains_is_found_and_other_tables_are_not_read() -> None:
    saved = """
*mangle
:POINTSMAN_EGRESS - [0:0]
-A OUTPUT -j POINTSMAN_EGRESS
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
:POINTSMAN_EGRESS - [0:0]
-A OUTPUT -j POINTSMAN_EGRESS
-A OUTPUT -m comment --comment "its \\"own\\"" -g POINTSMAN_EGRESS
-A OUTPUT -j POINTSMAN_EGRESS
-A OUTPUT -j POINTSMAN_EGRESS_2
-A POINTSMAN_EGRESS -j RETURN
COMMIT
"""
    assert installed(saved) == Rules(
        ("POINTSMAN_EGRESS",),
        ("POINTSMAN_EGRESS -j RETURN",),
        (
            "OUTPUT -j POINTSMAN_EGRESS",
            'OUTPUT -m comment --comment "its \\"own\\"" -g POINTSMAN_EGRESS',
            "OUTPUT -j POINTSMAN_EGRESS",
        ),
    )
