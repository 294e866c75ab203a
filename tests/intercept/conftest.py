import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.netns import Namespace, connected, why_not

SOURCES = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Host:
    """A namespace with an app, its peer, and the command `pointsman intercept` in it."""

    app: Namespace
    peer: Namespace
    programs: Path

    def intercept(
        self,
        *flags: object,
        status: int = 0,
        uid: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Runs the command; its output, or what it says on standard error if it shall fail."""
        ended = self.app.run(
            *(sys.executable, "-m", "pointsman.cli", "intercept", *flags),
            env={"PYTHONPATH": str(SOURCES), "PATH": self.path, **(variables or {})},
            uid=uid,
            check=False,
        )
        assert ended.returncode == status, ended.stderr
        return ended.stderr if status else ended.stdout

    def save(self, family: str = "") -> list[str]:
        """The table `nat` of one family ("", "6"), without comments."""
        saved = self.app.run(f"ip{family}tables-save", "-t", "nat", env={"PATH": self.path})
        return [line for line in saved.stdout.splitlines() if not line.startswith("#")]

    def restore(self, text: str, family: str = "") -> None:
        self.app.run(f"ip{family}tables-restore", stdin=text, env={"PATH": self.path})

    def program(self, name: str, text: str) -> None:
        """Puts a script in the place of a program."""
        script = self.programs / name
        script.unlink(missing_ok=True)
        script.write_text(text)
        script.chmod(0o755)

    @property
    def path(self) -> str:
        """The value of PATH: what is in `programs` counts more than what is installed."""
        return f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    if reason := why_not():
        pytest.skip(reason)
    programs = tmp_path / "programs"
    programs.mkdir()
    with connected() as (app, peer):
        yield Host(app, peer, programs)
