"""Two network namespaces joined by a cable, for tests that need a kernel's tables to themselves.

    if reason := why_not():
        pytest.skip(reason)
    with connected() as (app, peer):
        with peer.started("python3", "-m", "http.server", ready=...):
            app.run("curl", f"http://{peer.ipv4}:8000", uid=1000)

Nothing outside of the two namespaces is touched, and both end with the `with`, along with all
processes in them.
"""

import functools
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

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
            _ip(f"-n {here.name} link set lo up")
            _ip(f"-n {here.name} addr add {here.ipv4}/24 dev eth0")
            # nodad: usable at once, without asking for two seconds who else has it.
            _ip(f"-n {here.name} addr add {here.ipv6}/64 dev eth0 nodad")
            _ip(f"-n {here.name} link set eth0 up")
            _ip(f"-n {here.name} route add default via {there.ipv4}")
            _ip(f"-n {here.name} -6 route add default via {there.ipv6}")
        yield ends


@contextmanager
def _namespace(namespace: Namespace) -> Iterator[None]:
    _ip(f"netns add {namespace.name}")
    try:
        yield
    finally:
        for pid in _ip(f"netns pids {namespace.name}").split():
            try:
                os.kill(int(pid), signal.SIGKILL)
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
