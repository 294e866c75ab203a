"""Network namespaces joined by cables, for tests that need a kernel's tables to themselves.

    if reason := why_not():
        pytest.skip(reason)
    with connected() as (app, peer):
        with peer.started("python3", "-m", "http.server", ready=...):
            app.run("curl", f"http://{peer.ipv4}:8000", uid=1000)

Nothing outside of the namespaces is touched but the files by which names are looked up inside, and
all end with the `with`, along with all processes in them.
"""

import functools
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_NUMBERS = itertools.count()
_COMMAND_S = 20.0
_SYSTEM_FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@functools.cache
def why_not() -> str:
    """Why such tests cannot run here, or ""."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "setpriv", "iptables-restore", "ip6tables-restore"):
        if shutil.which(program, path=_SYSTEM_FOLDERS) is None:
            return f"{program} is not installed"
    try:
        with connected() as (app, _):
            app.run("ip6tables-restore", stdin="*nat\nCOMMIT\n")
            app.run("iptables-restore", stdin="*nat\nCOMMIT\n")
    except subprocess.CalledProcessError as error:
        return f"network namespaces are forbidden here: {error.stderr.strip()}"
    return ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace: loopback and one interface, eth0, with an address of each family."""

    name: str
    ipv4: str
    ipv6: str

    def run(
        self,
        *command: object,
        uid: int | None = None,
        gid: int | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command inside to its end, as a user and group; as root by default.

        Raises:
            CalledProcessError: it failed, and `check` is set.
            TimeoutExpired: it took more than 20 s.
        """
        return subprocess.run(
            self._inside(command, uid, gid),
            env=_environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            check=check,
        )

    @contextmanager
    def started(
        self,
        *command: object,
        uid: int | None = None,
        gid: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Iterator["subprocess.Popen[str]"]:
        """Runs a command inside for the time of the `with`; its standard output is a pipe."""
        with subprocess.Popen(
            self._inside(command, uid, gid),
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def pids(self) -> list[int]:
        """Ids of the processes inside."""
        return [int(pid) for pid in _ip(f"netns pids {self.name}").split()]

    def _inside(self, command: Sequence[object], uid: int | None, gid: int | None) -> list[str]:
        who: list[object] = []
        if uid is not None or gid is not None:
            user = uid or 0
            # It may read what its user could not, such as a Python in root's home.
            right = "+dac_read_search"
            who = ["setpriv", "--reuid", user, "--regid", user if gid is None else gid]
            who += ["--clear-groups", "--inh-caps", right, "--ambient-caps", right]
        return [str(word) for word in ("ip", "netns", "exec", self.name, *who, *command)]


@contextmanager
def connected() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them; each is the other's default route."""
    number = f"{os.getpid()}-{next(_NUMBERS)}"
    ends = (
        Namespace(f"pointsman-{number}-app", "10.77.0.1", "fd77::1"),
        Namespace(f"pointsman-{number}-peer", "10.77.0.2", "fd77::2"),
    )
    with ExitStack() as stack:
        for end in ends:
            stack.enter_context(_namespace(end))
        app, peer = ends
        _ip(f"link add eth0 netns {app.name} type veth peer name eth0 netns {peer.name}")
        for here, there in (ends, ends[::-1]):
            _address(here)
            _ip(f"-n {here.name} route add default via {there.ipv4}")
            _ip(f"-n {here.name} -6 route add default via {there.ipv6}")
        yield ends


@contextmanager
def switched(
    *names: str, hosts: Callable[[Mapping[str, Namespace]], Mapping[str, Sequence[str]]]
) -> Iterator[dict[str, Namespace]]:
    """Namespaces that reach each other over a switch, which leads nowhere else.

    Anybody inside may listen on any port.

    Args:
        names: of the namespaces, short.
        hosts: makes what is looked up in all of them: addresses by host name.
    """
    number = f"pointsman-{os.getpid()}-{next(_NUMBERS)}"
    switch = Namespace(f"{number}-switch", "10.77.1.254", "fd77:1::fe")
    ends = {
        name: Namespace(f"{number}-{name}", f"10.77.1.{index}", f"fd77:1::{index:x}")
        for index, name in enumerate(names, start=1)
    }
    lines = [
        f"{address} {host}\n"
        for host, addresses in {"localhost": ("127.0.0.1", "::1"), **hosts(ends)}.items()
        for address in addresses
    ]
    with ExitStack() as stack:
        stack.enter_context(_namespace(switch))
        _ip(f"-n {switch.name} link add eth0 type bridge")
        _address(switch)
        # It says so when an address is nobody's, where it would be silent otherwise.
        switch.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0")
        for end in ends.values():
            stack.enter_context(_namespace(end, "".join(lines)))
            cable = f"to{end.ipv4.rpartition('.')[2]}"
            _ip(f"link add eth0 netns {end.name} type veth peer name {cable} netns {switch.name}")
            _ip(f"-n {switch.name} link set {cable} master eth0 up")
            _address(end)
            _ip(f"-n {end.name} route add default via {switch.ipv4}")
            _ip(f"-n {end.name} -6 route add default via {switch.ipv6}")
            end.run("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0")
        yield ends


def _address(end: Namespace) -> None:
    """Gives a namespace its addresses."""
    _ip(f"-n {end.name} link set lo up")
    _ip(f"-n {end.name} addr add {end.ipv4}/24 dev eth0")
    # nodad: usable at once, without asking for two seconds who else has it.
    _ip(f"-n {end.name} addr add {end.ipv6}/64 dev eth0 nodad")
    _ip(f"-n {end.name} link set eth0 up")


@contextmanager
def _namespace(namespace: Namespace, hosts: str = "") -> Iterator[None]:
    files = Path("/etc/netns") / namespace.name  # what is here, `ip netns exec` puts into /etc
    _ip(f"netns add {namespace.name}")
    try:
        if hosts:
            files.mkdir(parents=True)
            (files / "hosts").write_text(hosts)
            # Nobody listens there: what is no host is not found at once, instead of after a while.
            (files / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        yield
    finally:
        shutil.rmtree(files, ignore_errors=True)
        for pid in namespace.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _ip(f"netns del {namespace.name}")


def _ip(arguments: str) -> str:
    return subprocess.run(
        ["ip", *arguments.split()],
        env=_environment(None),
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=True,
    ).stdout


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "PATH": _SYSTEM_FOLDERS, **(more or {})}
