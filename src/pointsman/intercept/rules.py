"""An interception in the words of iptables: two chains of our own, and the jumps into them.

Everything here is text to text, so that what would be done can be shown to anyone. Running the
programs is left to `tables`.

The rules are those of App Mesh's route manager: what comes from this host never enters the ingress
chain, what goes to this host never enters the egress chain. That keeps an app's connections to
itself, and Envoy's to the app, away from Envoy. Unlike there, only a connection's first packet
enters a chain.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from pointsman.intercept.interception import Interception

INGRESS = "POINTSMAN_INGRESS"
EGRESS = "POINTSMAN_EGRESS"
OURS = (INGRESS, EGRESS)

_FIRST_PACKET = "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"
"""To the kernel, connections from before it tracked any are new in the midst of their data. They
must not be redirected there: the administrator's SSH session may be one.
"""


class Family(IntEnum):
    """The two protocols; each has programs and tables of its own."""

    IPV4 = 4
    IPV6 = 6

    def __str__(self) -> str:
        return f"IPv{self.value}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is ours in the table `nat` of one family.

    Attributes:
        chains: names of our chains.
        rules: what stands in them, in order, each as `CHAIN MATCHES... -j TARGET`.
        jumps: what leads into them from other chains, in the same form.
    """

    chains: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    jumps: tuple[str, ...] = ()


NOTHING = Rules()


def rules_of(interception: Interception, family: Family) -> Rules:
    """The rules that carry out an interception in one family; NOTHING where it is left out."""
    if family is Family.IPV6 and not interception.ipv6:
        return NOTHING
    egress = Rules(
        (EGRESS,),
        tuple(f"{EGRESS} {rule}" for rule in _egress(interception, family)),
        (f"OUTPUT {_FIRST_PACKET} -m addrtype ! --dst-type LOCAL -j {EGRESS}",),
    )
    if not interception.app_ports:
        return egress
    target = f"-j REDIRECT --to-ports {interception.ingress_port}"
    return Rules(
        (INGRESS, *egress.chains),
        tuple(
            f"{INGRESS} -p tcp -m tcp --dport {port} {target}"
            for port in dict.fromkeys(interception.app_ports)
        )
        + egress.rules,
        (
            f"PREROUTING {_FIRST_PACKET} -m addrtype ! --src-type LOCAL -j {INGRESS}",
            *egress.jumps,
        ),
    )


def _egress(interception: Interception, family: Family) -> Iterable[str]:
    for uid in dict.fromkeys(interception.ignored_uids):
        yield f"-m owner --uid-owner {uid} -j RETURN"
    for gid in dict.fromkeys(interception.ignored_gids):
        yield f"-m owner --gid-owner {gid} -j RETURN"
    for port in dict.fromkeys(interception.ignored_ports):
        yield f"-p tcp -m tcp --dport {port} -j RETURN"
    for network in dict.fromkeys(interception.ignored_addresses):
        if network.version == family:
            yield f"-d {network} -j RETURN"
    yield f"-p tcp -j REDIRECT --to-ports {interception.egress_port}"


def installed(saved: str) -> Rules:
    """What is ours in the table `nat`, according to the output of `iptables-save`."""
    chains, rules, jumps = [], [], []
    table = ""
    for line in saved.splitlines():
        mark, _, rest = line.partition(" ")
        if mark.startswith("*"):
            table = mark
        elif table != "*nat":
            continue
        elif mark.startswith(":") and mark[1:] in OURS:
            chains.append(mark[1:])
        elif mark == "-A" and rest.split(" ", 1)[0] in OURS:
            rules.append(rest)
        elif mark == "-A" and _leads_to_us(rest):
            jumps.append(rest)
    return Rules(tuple(chains), tuple(rules), tuple(jumps))


def _leads_to_us(rule: str) -> bool:
    words = shlex.split(rule)  # a comment may quote anything
    return any(word in ("-j", "-g") and target in OURS for word, target in pairwise(words))


def change(here: Rules, wanted: Rules) -> str:
    """Input for `iptables-restore --noflush` that turns one state into the other.

    It is one transaction: all of it happens, or nothing. Jumps come first in their chains, so that
    nobody else's rule takes a connection before. Rules of others are not mentioned, hence stay.

    Args:
        here: what `installed` found.
        wanted: what shall be there instead.

    Returns:
        The text, or "" where nothing is there and nothing wanted.
    """
    if here == wanted == NOTHING:
        return ""
    gone = [chain for chain in here.chains if chain not in wanted.chains]
    lines = [
        "*nat",
        *(f":{chain} - [0:0]" for chain in wanted.chains),  # makes it, or empties it
        *(f"-D {jump}" for jump in here.jumps),
        *(f"-A {rule}" for rule in wanted.rules),
        *(f"-I {jump}" for jump in reversed(wanted.jumps)),
        *(f"-F {chain}" for chain in gone),
        *(f"-X {chain}" for chain in gone),
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"
