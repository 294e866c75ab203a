import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pointsman.errors import IdentityError
from pointsman.identity.folder import open_authority, write_private, write_public
from tests.identity.intermediates import authority as made

NOW = datetime.now(UTC).replace(microsecond=0)


def modes(folder: Path) -> dict[str, str]:
    return {file.name: f"{stat.S_IMODE(file.stat().st_mode):o}" for file in folder.iterdir()}


def test_an_authority_is_made_once_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    first = open_authority(folder, NOW, "mesh.example")
    assert modes(folder) == {"ca.crt": "644", "ca.key": "600", "token.key": "600"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert first.signer.end - NOW == timedelta(days=3652)
    again = open_authority(folder, NOW)
    assert again.trust_domain == "mesh.example"
    assert again.trust == first.trust
    assert again.signer.key.pem() == first.signer.key.pem()
    assert again.token_key.pem() == first.token_key.pem()
    assert not again.renews


def test_keys_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        open_authority(tmp_path / "ca", NOW)
    finally:
        os.umask(before)
    assert modes(tmp_path / "ca") == {"ca.crt": "644", "ca.key": "600", "token.key": "600"}


def test_several_at_once_make_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: open_authority(tmp_path / "ca", NOW).trust, range(16)))
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
@pytest.mark.parametrize("name", ["ca.key", "token.key"])
def test_a_key_others_can_read_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    open_authority(tmp_path, NOW)
    (tmp_path / name).chmod(mode)
    with pytest.raises(IdentityError, match=f"{name} can be read by others") as caught:
        open_authority(tmp_path, NOW)
    assert "chmod 600" in caught.value.hint


def test_a_lost_key_is_said_and_nothing_is_made_anew(tmp_path: Path) -> None:
    open_authority(tmp_path, NOW)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(IdentityError, match=r"ca\.key: No such file"):
        open_authority(tmp_path, NOW)
    assert not (tmp_path / "ca.key").exists()


def test_a_crash_between_key_and_certificate_is_mended(tmp_path: Path) -> None:
    first = open_authority(tmp_path, NOW)
    (tmp_path / "ca.crt").unlink()
    again = open_authority(tmp_path, NOW)
    assert again.signer.key.pem() == first.signer.key.pem()
    assert again.trust != first.trust


def test_what_should_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="there is no certificate authority"):
        open_authority(tmp_path / "ca", NOW, create=False)
    assert not (tmp_path / "ca").exists()


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("")
    with pytest.raises(IdentityError, match="File exists"):
        open_authority(tmp_path / "ca", NOW)


def test_an_intermediate_is_laid_into_the_folder(tmp_path: Path) -> None:
    root = made("root", NOW)
    low = made("low", NOW, root)
    write_public(tmp_path / "ca.crt", low.pem)
    write_private(tmp_path / "ca.key", low.key.pem())
    write_public(tmp_path / "root.crt", root.pem)
    authority = open_authority(tmp_path, NOW)
    assert authority.trust == root.pem
    assert authority.signer.key.pem() == low.key.pem()


def test_a_second_root_is_trusted_while_it_takes_over(tmp_path: Path) -> None:
    old = open_authority(tmp_path / "old", NOW)
    new = open_authority(tmp_path / "new", NOW)
    write_public(tmp_path / "old" / "root.crt", old.trust + new.trust)
    overlapping = open_authority(tmp_path / "old", NOW)
    assert set(overlapping.roots) == {*old.roots, *new.roots}
    assert overlapping.signer.certificate == old.signer.certificate
