import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.cli.identity import parse_lifetime
from pointsman.errors import UsageError
from pointsman.identity.folder import open_authority
from pointsman.identity.tokens import Tokens
from pointsman.identity.verify import node_id_of
from tests.cli.conftest import Run

NODE = "mesh/shop/virtualNode/cart_shop"


@pytest.fixture
def ca(tmp_path: Path, run: Run) -> Path:
    folder = tmp_path / "ca"
    assert run("identity", "init", folder, "--trust-domain", "mesh.example").status == 0
    return folder


def test_init_makes_an_authority_once(ca: Path, run: Run) -> None:
    before = (ca / "ca.crt").read_bytes()
    again = run("identity", "init", ca)
    assert (again.status, again.err) == (0, "")
    assert again.out == f"{ca}: authority of trust domain mesh.example\n"
    assert (ca / "ca.crt").read_bytes() == before
    other = run("identity", "init", ca, "--trust-domain", "other.example")
    assert other.status == 2
    assert "of trust domain mesh.example, not of other.example" in other.err


def test_issue_writes_a_certificate_and_a_private_key(ca: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = run("identity", "issue", ca, NODE, "--dns", "cart.example", "--out", out)
    assert ended.status == 0, ended.err
    assert ended.out.startswith(f"spiffe://mesh.example/{NODE}, valid until ")
    assert node_id_of((out / "tls.crt").read_bytes(), "mesh.example") == NODE
    assert (out / "ca.crt").read_bytes() == (ca / "ca.crt").read_bytes()
    assert b"PRIVATE KEY" in (out / "tls.key").read_bytes()
    assert stat.S_IMODE((out / "tls.key").stat().st_mode) == 0o600
    assert "PRIVATE KEY" not in ended.out + ended.err


def test_issue_does_not_write_into_the_authority(ca: Path, run: Run) -> None:
    before = {file.name: file.read_bytes() for file in ca.iterdir()}
    ended = run("identity", "issue", ca, NODE, "--out", ca)
    assert ended.status == 2
    assert "the authority's own folder" in ended.err
    assert {file.name: file.read_bytes() for file in ca.iterdir()} == before


def test_token_prints_a_token_for_the_node(ca: Path, run: Run) -> None:
    ended = run("identity", "token", ca, NODE, "--lifetime", "10m")
    assert (ended.status, ended.err) == (0, "")
    now = datetime.now(UTC)
    tokens = Tokens(open_authority(ca, now).token_key)
    assert tokens.verify(ended.out.strip(), now + timedelta(minutes=9)) == NODE


def test_show_tells_what_certificates_say(ca: Path, run: Run, tmp_path: Path) -> None:
    run("identity", "issue", ca, NODE, "--dns", "cart.example", "--out", tmp_path)
    shown = run("identity", "show", tmp_path / "tls.crt").out
    assert f"uri      spiffe://mesh.example/{NODE}\n" in shown
    assert "name     cart.example\n" in shown
    assert shown.endswith(", valid\n")
    (root,) = json.loads(run("identity", "show", ca, "--json").out)["certificates"]
    assert root["authority"] is True
    assert root["uris"] == ["spiffe://mesh.example"]
    assert root["file"] == str(ca / "ca.crt")


def test_show_never_shows_a_key(ca: Path, run: Run) -> None:
    whole = ca / "both.pem"
    key = (ca / "ca.key").read_bytes()
    whole.write_bytes(key + (ca / "ca.crt").read_bytes())
    for path in (whole, ca / "ca.key", ca):
        ended = run("identity", "show", path)
        text = ended.out + ended.err
        assert "PRIVATE" not in text
        assert key.splitlines()[1].decode() not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "FILE"), "File exists"),
        (("issue", "NONE", NODE), "there is no certificate authority"),
        (("token", "NONE", NODE), "there is no certificate authority"),
        (("issue", "CA", "cart"), "'cart' is not a node id"),
        (("token", "CA", "cart"), "'cart' is not a node id"),
        (("issue", "CA", NODE, "--dns", "a b"), "is not a name a certificate can hold"),
        (("issue", "CA", NODE, "--lifetime", "soon"), "--lifetime soon: not a time"),
        (("issue", "CA", NODE, "--out", "FILE"), "cannot be written to"),
        (("show", "NONE"), "No such file"),
        (("show", "FILE"), "holds no certificates"),
        (("foo",), "No such command"),
        ((), "Missing command"),
    ],
)
def test_mistakes_end_with_one_line(
    ca: Path, run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "file").write_text("")
    named = {"FILE": tmp_path / "file", "NONE": tmp_path / "none", "CA": ca}
    ended = run("identity", *(named.get(item, item) for item in arguments))
    assert ended.status == 2
    assert said in ended.err.splitlines()[0]
    assert ended.out == ""


def test_lifetimes_are_read() -> None:
    assert parse_lifetime("90s") == timedelta(seconds=90)
    assert parse_lifetime("30d") == timedelta(days=30)
    for text in ("", "0h", "-1h", "1", "1w", "1.5h", "1h ", "9999999d"):
        with pytest.raises(UsageError):
            parse_lifetime(text)
