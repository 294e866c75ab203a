"""Reading what Envoy writes to its standard error.

Envoy is started with a log format of our own, so that one entry is one line and its level is
certain. What does not have that form was printed before logging began or after it ended.
"""

import re
from dataclasses import dataclass
from typing import Final

from pointsman.envoy.complaint import reason

LOG_ARGUMENTS: Final = ("--log-format", "%l|%n|%v", "--log-format-escaped")
"""Arguments that make Envoy write what `parse_line` reads."""

_LOG_LINE = re.compile(r"(trace|debug|info|warning|error|critical)\|([^|]*)\|(.*)", re.DOTALL)
_WRAPPINGS = (
    re.compile(r"error `(?P<core>.*)` initializing config '.*'", re.DOTALL),
    re.compile(r"error initializing configuration '[^']*':\s*(?P<core>.*)", re.DOTALL),
)


@dataclass(frozen=True)
class LogLine:
    """One entry of Envoy's log.

    Attributes:
        level: trace, debug, info, warning, error or critical.
        logger: Envoy's component, such as "config"; "" for text outside the log.
        text: the message, without dumps of configuration; it may hold line breaks.
    """

    level: str
    logger: str
    text: str


def parse_line(raw: str) -> LogLine:
    """One line of standard error, without its line end.

    Text outside the log counts as an error: Envoy prints such text only when it is going down.
    """
    match = _LOG_LINE.fullmatch(raw)
    if match is None:
        return LogLine("error", "", raw)
    return LogLine(match[1], match[2], reason(_unescape(match[3])))


def _unescape(text: str) -> str:
    # Envoy escapes as C does, byte by byte, so UTF-8 arrives as octal numbers.
    try:
        as_bytes = text.encode("ascii").decode("unicode_escape").encode("latin-1")
    except UnicodeError:
        return text
    return as_bytes.decode("utf-8", "replace")


def core_of(text: str) -> str:
    """A complaint without Envoy's words around it about which file it was reading."""
    for wrapping in _WRAPPINGS:
        match = wrapping.fullmatch(text)
        if match is not None:
            return match["core"].strip()
    return text.strip()


def last_words(lines: list[LogLine]) -> list[str]:
    """What a person should read after Envoy ended: its worst lines, unwrapped, each once."""
    for levels in (("critical",), ("error",), ("warning",)):
        words = [core_of(line.text) for line in lines if line.level in levels]
        if words:
            return list(dict.fromkeys(words))
    return []
