import os
from pathlib import Path

from pointsman.settings import read_settings


def test_an_empty_environment_says_nothing() -> None:
    settings = read_settings({})
    assert settings.envoy is None
    assert settings.no_color is False
    assert settings.runtime_folder == Path(f"/tmp/pointsman-{os.getuid()}")


def test_what_the_environment_says() -> None:
    settings = read_settings(
        {"POINTSMAN_ENVOY": "/opt/envoy", "NO_COLOR": "1", "XDG_RUNTIME_DIR": "/run/user/7"}
    )
    assert settings.envoy == "/opt/envoy"
    assert settings.no_color is True
    assert settings.runtime_folder == Path(f"/run/user/7/pointsman-{os.getuid()}")
