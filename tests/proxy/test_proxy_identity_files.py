"""What a proxy proves its identity with: files that are no good are told of, and not taken."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from pointsman.errors import UsageError
from pointsman.proxy.identity_files import IdentityFiles
from pointsman.proxy.xds_cluster import TOKEN_SECRET, XdsTls
from pointsman.xds.server_tls import ServerTls
from tests.support.pem_files import Authority, Pair


@pytest.mark.parametrize("text", [b"", b"\n", b"a b", b"a\nb", b"\xff\xfe"])
def test_a_file_without_a_token_leaves_the_one_before(tmp_path: Path, text: bytes) -> None:
    token = tmp_path / "token"
    token.write_text("good.token\n")
    files = IdentityFiles(tmp_path, None, token)
    files.write()
    token.write_bytes(text)
    with pytest.raises(UsageError, match="holds no token"):
        files.write()
    (secret,) = json.loads((tmp_path / f"{TOKEN_SECRET}.json").read_text())["resources"]
    assert secret["generic_secret"]["secret"] == {"inline_string": "Bearer good.token"}
    assert (tmp_path / f"{TOKEN_SECRET}.json").stat().st_mode & 0o777 == 0o600


def test_certificates_that_are_no_good_are_told_of_by_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, two = authority.issue("one", "a.example"), authority.issue("two", "b.example")
    folder = tmp_path / "secrets"
    folder.mkdir()
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(UsageError, match=r"bad\.pem holds no certificates in PEM"):
        IdentityFiles(folder, XdsTls(bad), None).write()
    with pytest.raises(UsageError, match=r"two\.key are no certificate with its key"):
        IdentityFiles(folder, XdsTls(authority.file, None, one.certificate, two.key), None).write()
    IdentityFiles(folder, XdsTls(authority.file, None, one.certificate, one.key), None).write()


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = locked(authority.issue("one", "a.example"))
    with pytest.raises(UsageError, match="no certificate with its key"):
        IdentityFiles(
            tmp_path, XdsTls(authority.file, None, pair.certificate, pair.key), None
        ).write()
    with pytest.raises(UsageError, match="cannot use the certificates"):
        ServerTls(pair.certificate, pair.key).read()


def locked(pair: Pair) -> Pair:
    """The same, its key with a passphrase."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    pair.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return pair
