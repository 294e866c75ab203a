"""Certificates issued a second on one core: `python -m bench.identity [COUNT]`.

Beside ours stand the two ways a person would take without it: the `openssl` command, as App
Mesh's own walkthroughs do (a key, a request and a signature, three processes), and the same calls
of the Python library with RSA keys, which is what older tools make.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from pointsman.identity.ca import Authority
from pointsman.identity.rotation import Identities, Subject
from pointsman.identity.secrets import identity_secret

SLOW = 40
"""How many times fewer of those that take milliseconds are made."""
EXTENSIONS = """\
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=URI:spiffe://pointsman.local/mesh/shop/virtualNode/n,DNS:n.shop.local
"""


def cpu_s() -> float:
    """CPU time of this process and of the children it has waited for."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def measured(what: str, count: int, work: Callable[[int], object]) -> None:
    work(0)
    cpu, wall = cpu_s(), time.perf_counter()
    for number in range(count):
        work(number)
    cpu, wall = cpu_s() - cpu, time.perf_counter() - wall
    print(f"{what:<42}{count / wall:>9.0f}/s{cpu / count * 1e6:>12.0f} µs of CPU each")


def ours(count: int) -> None:
    now = datetime.now(UTC)
    authority = Authority.in_memory(now)

    def issue(number: int) -> object:
        return authority.issue(f"mesh/shop/virtualNode/n{number}", ("n.shop.local",), now)

    def sealed(number: int) -> object:
        return identity_secret(
            authority.issue(f"mesh/shop/virtualNode/n{number}", ("n.shop.local",), now)
        )

    measured("issue", count, issue)
    measured("issue and seal for Envoy", count, sealed)


def all_at_once(nodes: int) -> None:
    told: list[int] = []
    identities = Identities(
        Authority.in_memory(datetime.now(UTC)), lambda changed: told.append(len(changed))
    )
    subjects = [Subject(f"mesh/shop/virtualNode/n{n}", (f"n{n}.shop.local",)) for n in range(nodes)]
    identities.want(subjects)
    start = time.perf_counter()
    for subject in subjects:
        identities.secrets(subject.node_id)
    first = time.perf_counter() - start
    identities.make_due()
    start = time.perf_counter()
    identities.renew(datetime.now(UTC))
    print(f"{nodes} nodes: first {first * 1000:.0f} ms, ", end="")
    print(f"all renewed at once {(time.perf_counter() - start) * 1000:.0f} ms")


def by_openssl(count: int, folder: Path) -> None:
    def run(*arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=20
        )

    (folder / "extensions").write_text(EXTENSIONS)
    curve = ("-pkeyopt", "ec_paramgen_curve:P-256")
    run("genpkey", "-algorithm", "EC", *curve, "-out", "ca.key")
    run("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-out", "ca.crt")

    def issue(_number: int) -> None:
        run("genpkey", "-algorithm", "EC", *curve, "-out", "n.key")
        run("req", "-new", "-key", "n.key", "-subj", "/", "-out", "n.csr")
        signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-extfile", "extensions")
        run("x509", "-req", "-in", "n.csr", *signing, "-days", "1", "-out", "n.crt")

    measured("openssl, three commands", count, issue)


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    slow = max(count // SLOW, 3)
    ours(count)
    all_at_once(count)
    measured(
        "an RSA key of 2048 bits, alone", slow, lambda _: rsa.generate_private_key(65537, 2048)
    )
    if shutil.which("openssl"):
        with tempfile.TemporaryDirectory() as folder:
            by_openssl(slow, Path(folder))
    else:
        print("openssl is not installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
