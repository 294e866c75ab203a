"""Own applications as the command line and a file name them, and what is refused."""

import shutil
from pathlib import Path

import pytest

from pointsman.app.own import read_applications
from pointsman.cli.main import main
from pointsman.errors import PointsmanError
from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key

WEB = Key("VirtualNode", "shop", "web")


def test_flags_come_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "apps.yaml").write_text("web: 127.0.0.1:1\ndb: localhost:5432\n")
    flags = ["shop/cat=cat -u", "web:80=127.0.0.1:8081", "web:81=[::1]:8082"]
    cat, web, db = read_applications(flags, str(tmp_path / "apps.yaml"))
    assert cat.command == (shutil.which("cat"), "-u")
    assert web.is_of(WEB)
    assert not cat.is_of(WEB)
    assert web.address(80) == Address("127.0.0.1", 8081)
    assert web.address(81) == Address("::1", 8082)
    assert web.address(82) is None
    assert db.address(1) == Address("127.0.0.1", 5432)


def test_a_node_is_named_with_its_namespace_or_without() -> None:
    (own,) = read_applications(["shop/web=127.0.0.1:1"], None)
    assert own.is_of(WEB)
    assert not own.is_of(WEB._replace(namespace="other"))
    (own,) = read_applications(["web=127.0.0.1:1"], None)
    assert own.is_of(WEB._replace(namespace="other"))


def test_a_file_says_more(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "serve"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    text = (
        "web:\n  command: ./serve 'a b'\n  folder: bin\n  environment: {A: 1}\n  ports: {80: 3}\n"
    )
    (tmp_path / "apps.yaml").write_text(text)
    (own,) = read_applications([], str(tmp_path / "apps.yaml"))
    assert own.command == (str(program), "a b")
    assert own.folder == tmp_path / "bin"
    assert own.environment == (("A", "1"),)
    assert own.address(80) == Address("127.0.0.1", 3)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["web"], "not NODE=COMMAND"),
        (["=true"], "not NODE=COMMAND"),
        (["web= "], "not NODE=COMMAND"),
        (["web=no-such-program x"], "there is no program no-such-program"),
        (["web='"], "no closing quotation"),
        (["web=1.2.3.4:70000"], "is no address"),
        (["web=true", "web=true"], "web has an application already"),
        (["web=true", "web:80=127.0.0.1:1"], "web has an application already"),
        (["web:80=true"], "a command is for all listeners"),
    ],
)
def test_flags_that_are_refused(flags: list[str], message: str) -> None:
    with pytest.raises(PointsmanError, match=message) as refused:
        read_applications(flags, None)
    assert str(refused.value).startswith("--app web") or "--app =true" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web: true\ndb: {folder: x}\n", "apps.yaml:2: command is missing"),
        ("web:\n  command: true\n  prots: {}\n", "apps.yaml:2: there is no field prots"),
        ("web: [1]\n", "apps.yaml:1: a mapping is wanted here"),
        ("web: true\nweb: true\n", "apps.yaml:2: web is there twice"),
        ("web:\n  command: true\n  ports: {a: 1}\n", "apps.yaml:2: a is no port"),
        ("web:\n  command: [true]\n", "apps.yaml:2: a text is wanted here"),
        ("web:\n  folder: nowhere\n  command: true\n", "apps.yaml:2: .*nowhere is no folder"),
        ("web: true\n}\n", "apps.yaml:2: "),
        ("[]\n", "apps.yaml:1: a mapping is wanted here"),
        ("Web!: true\n", "apps.yaml:1: Web! is no name of a virtual node"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "apps.yaml").write_text(text)
    with pytest.raises(PointsmanError, match=message):
        read_applications([], str(tmp_path / "apps.yaml"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--app", "web=true"], "--app is for virtual nodes with a proxy"),
        (["--apps", "x.yaml"], "--apps is for virtual nodes with a proxy"),
        (["--mesh", "--apps", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--mesh", "--mount", "/certs=nowhere"], "nowhere is no folder"),
        (["--mount", "certs=/tmp"], "not FOLDER=HERE"),
    ],
)
def test_options_that_are_refused(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", str(tmp_path), *arguments]) == 2
    assert message in capsys.readouterr().err
