"""No private key in anything that is shown, logged or dumped."""

import asyncio
import base64
import copy
import pickle
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pointsman.envoy import pb
from pointsman.envoy.names import IDENTITY
from pointsman.envoy.seal import seal, unseal
from pointsman.envoy.sealed import SECRET, Sealed
from pointsman.errors import IdentityError
from pointsman.identity.ca import Authority
from pointsman.identity.keys import PrivateKey
from pointsman.identity.rotation import Identities, Subject
from pointsman.identity.secrets import with_secrets
from pointsman.xds.answer import Answer
from pointsman.xds.plan import Plan
from pointsman.xds.snapshot import Snapshot
from tests.identity.meshed import CALLER, meshed, secret_bytes, utc_now

NODE = "mesh/shop/virtualNode/a"


def is_in(key: bytes, text: str) -> bool:
    """Whether a text has the key: as PEM, or its bytes in base64, hex or a repr."""
    der = base64.b64decode(b"".join(key.splitlines()[1:-1]))
    secret = der[36:68]
    """The number itself: PKCS#8 of P-256 has it behind 36 bytes that are always the same."""
    shapes = (
        "PRIVATE KEY", base64.b64encode(der).decode()[52:84], secret.hex(), repr(secret)[2:-1],
        str(int.from_bytes(secret, "big")),
    )  # fmt: skip
    return any(shape in text for shape in shapes)


@pytest.fixture
def secret() -> Sealed:
    identities = Identities(Authority.in_memory(datetime.now(UTC)), lambda _: None)
    identities.want([Subject(NODE)])
    return identities.secrets(NODE)[0]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="id") as path:
        yield Path(path)


def test_the_search_finds_keys() -> None:
    key = PrivateKey.generate()
    number = key.signing.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]
    line = base64.b64encode(base64.b64decode(b"".join(key.pem().splitlines()[1:-1]))).decode()
    for leak in (key.pem().decode(), number.hex(), repr(number), line):
        assert is_in(key.pem(), f"… {leak} …")
    assert not is_in(key.pem(), PrivateKey.generate().pem().decode().splitlines()[1])


def test_reprs_do_not_show_keys(secret: Sealed) -> None:
    authority = Authority.in_memory(utc_now())
    issued = authority.issue(NODE, (), utc_now())
    for key in (authority.signer.key, authority.token_key, issued.key):
        for shown in (authority, authority.signer, issued, key, [key], {"key": key}):
            assert not is_in(key.pem(), f"{shown!r} {shown}")
    key_bytes = secret_bytes(secret)
    whole = with_secrets(Snapshot(), [secret])
    answer = Answer(SECRET, (secret,))
    for sealed in (secret, whole, answer, Plan(Snapshot(), whole).additions, (secret,)):
        assert not is_in(key_bytes, f"{sealed!r} {sealed}")


def test_keys_are_not_copied_by_accident() -> None:
    key = PrivateKey.generate()
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copying(key)
    assert not hasattr(key, "__dict__")


def test_what_people_read_of_a_secret_has_no_key(secret: Sealed) -> None:
    shown = pb.to_dict(unseal(secret))
    assert shown["tls_certificate"]["private_key"] == {"inline_string": "[redacted]"}
    assert "certificate_chain" in shown["tls_certificate"]
    assert not is_in(secret_bytes(secret), str(shown))
    assert seal(unseal(secret)).version != secret.version, "the sealed one is not touched"
    assert b"PRIVATE KEY" in secret_bytes(secret)


@pytest.mark.parametrize("cut", [30, 100, 200])
def test_errors_do_not_quote_keys(cut: int) -> None:
    key = PrivateKey.generate().pem()
    try:
        PrivateKey.read(key[:cut] + b"!" + key[cut + 1 :], "ca.key")
    except IdentityError as error:
        said = "".join(traceback.format_exception(error))
        assert not is_in(key, said.replace("holds no private key", ""))
    else:
        raise AssertionError("a damaged key was taken")


def envoy_logs(folder: Path) -> list[Path]:
    return list(folder.rglob("*.log"))


@pytest.mark.envoy
async def test_neither_logs_nor_rejections_show_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority.in_memory(utc_now())
    async with asyncio.timeout(30), meshed(folder, authority) as m:
        bad = pb.Secret(name=IDENTITY)
        key = PrivateKey.generate().pem()
        issued = authority.issue(CALLER, (), utc_now())
        bad.tls_certificate.certificate_chain.inline_bytes = issued.chain
        bad.tls_certificate.private_key.inline_bytes = key
        secrets = (*m.identities.secrets(CALLER), seal(bad))
        m.server.publish(CALLER, with_secrets(m.snapshots[CALLER], secrets))
        await m.acknowledged()
        assert [found.name for found in m.rejections] == [IDENTITY]
        shown = f"{m.rejections} {list(m.server.nodes.values())} {m.identities.failures}"
        m.identities.make_due()
        m.identities.renew(utc_now())
        good = secret_bytes(m.identities.secrets(CALLER)[0])
        dumps = [await envoy.admin("/config_dump") for envoy in m.envoys.values()]
    logs = [log.read_text() for log in envoy_logs(folder)]
    assert len(logs) == 2
    out, err = capsys.readouterr()
    text = "\n".join([shown, out, err, *dumps, *logs])
    assert "proxy connected" in text
    assert not is_in(key, text)
    assert not is_in(good, text)
