"""Changes the kernel's tables by the programs of iptables, whichever variant is installed.

Each family is one transaction of `iptables-restore`; when the second one fails, the first is put
back. What the text means is left to `rules`.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pointsman.errors import PointsmanError
from pointsman.intercept.rules import NOTHING, Family, Rules, change, installed

RESTORE: Mapping[Family, tuple[str, ...]] = {
    Family.IPV4: ("iptables-restore", "--noflush", "--wait=10"),
    Family.IPV6: ("ip6tables-restore", "--noflush", "--wait=10"),
}
"""They wait, in seconds, for others who change tables just now."""
SAVE: Mapping[Family, tuple[str, ...]] = {
    Family.IPV4: ("iptables-save",),
    Family.IPV6: ("ip6tables-save",),
}
"""All tables that are there; asked for one, the legacy variant would load it into the kernel."""
LONGEST_RUN_S = 30.0
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where the programs are; few users but root have them on PATH."""

_UNREADABLE = "# Table `nat' is incompatible"
_FORBIDDEN = ("permission denied", "operation not permitted", "must be root")
_LACKING = (
    "does not exist",
    "do you need to insmod",
    "by that name",
    "missing kernel module",
    "couldn't load",
    "not supported",
    "no such file or directory",
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would be done.

    Attributes:
        inputs: what each family's program would be fed; "" where it would not be run.
        unknown: why it is not known what is there already, or "".
    """

    inputs: Mapping[Family, str]
    unknown: str = ""


def put(wanted: Mapping[Family, Rules], *, optional: Sequence[Family] = ()) -> None:
    """Brings the tables to what is wanted, whatever is there of ours.

    Args:
        wanted: the rules of each family; NOTHING removes ours.
        optional: families in which nothing can be ours if their table cannot be read.

    Raises:
        PointsmanError: a program is missing, fails, or may not do it. The tables are as before.
    """
    with _alone():
        before = {family: _read(family, may_fail=family in optional) for family in wanted}
        done: list[Family] = []
        try:
            for family, rules in wanted.items():
                _feed(family, change(before[family], rules))
                done.append(family)
        except BaseException:
            for family in done:
                _feed(family, change(_read(family, may_fail=False), before[family]))
            raise


def rehearse(wanted: Mapping[Family, Rules], *, optional: Sequence[Family] = ()) -> Rehearsal:
    """What `put` would do. Where the tables cannot be read, nothing is taken to be ours."""
    try:
        here = {family: _read(family, may_fail=family in optional) for family in wanted}
        unknown = ""
    except PointsmanError as error:
        here = dict.fromkeys(wanted, NOTHING)
        unknown = str(error)
    return Rehearsal(
        {family: change(here[family], rules) for family, rules in wanted.items()}, unknown
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Keeps other runs in this network namespace out, from reading to writing.

    The namespace itself is locked: there is no file to agree on, and the lock ends with us.
    """
    with Path("/proc/self/ns/net").open("rb") as namespace:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        yield


def _read(family: Family, *, may_fail: bool) -> Rules:
    failing = f"cannot read the {family} rules"
    try:
        saved = _run(SAVE[family], "", failing)
        if _UNREADABLE in saved:
            raise PointsmanError(
                f"{failing}: the table nat holds what iptables does not know",
                hint="rules made with nft belong into a table of another name",
            )
        return installed(saved)
    except PointsmanError:
        if may_fail:
            return NOTHING
        raise


def _feed(family: Family, text: str) -> None:
    if text:
        _run(RESTORE[family], text, f"cannot change the {family} rules")


def _run(command: Sequence[str], text: str, failing: str) -> str:
    """Standard output of a program; what it says when it fails becomes the error."""
    name, *options = command
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")
    if program is None:
        raise PointsmanError(
            f"{failing}: {name} is not installed",
            hint="it is in the package iptables; --dry-run works without" + _without(name),
        )
    try:
        ended = subprocess.run(
            [program, *options],
            input=text,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=LONGEST_RUN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PointsmanError(
            f"{failing}: {name} did not end within {LONGEST_RUN_S:g} s",
            hint="another program may hold the lock /run/xtables.lock",
        ) from None
    except OSError as error:
        raise PointsmanError(f"{failing}: {name} does not run: {error.strerror}") from None
    if ended.returncode:
        raise PointsmanError(f"{failing}: {_words(ended)}", hint=_hint(name, ended.stderr))
    return ended.stdout


def _words(ended: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in ended.stderr.splitlines()]
    said = [line for line in lines if line and not line.startswith("Try `")]
    return "; ".join(said) or f"exit status {ended.returncode}"


def _hint(name: str, said: str) -> str:
    said = said.lower()
    if any(words in said for words in _FORBIDDEN):
        return "it takes root with the capability NET_ADMIN, in legacy iptables NET_RAW, too"
    if any(words in said for words in _LACKING):
        return (
            "the kernel may lack a module: NAT, REDIRECT, and the matches owner and addrtype"
            " are needed" + _without(name)
        )
    return ""


def _without(name: str) -> str:
    return "; --no-ipv6 leaves IPv6 out" if name.startswith("ip6") else ""
