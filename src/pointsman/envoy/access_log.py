"""Access logs of a gateway."""

from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.filters.identity import METADATA
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.gateway import AccessLogFile

_USUAL: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
"""Envoy's own line (manual, "Access logging", "Default format string")."""
_CALLER: Final = (
    f'"%DYNAMIC_METADATA({METADATA}:consumer)%" "%DYNAMIC_METADATA({METADATA}:credential)%"'
)


def access_log(
    log: AccessLogFile | None, only_flags: tuple[str, ...] = (), *, guarded: bool = False
) -> list[Fields]:
    """`envoy.config.accesslog.v3.AccessLog` entries.

    Args:
        log: file and format; None logs nothing.
        only_flags: log only requests that end with one of these response flags.
        guarded: whether the usual line has who called at its end.
    """
    if log is None:
        return []
    fields: Fields = {"path": log.path}
    if log.format is not None and log.format.text is not None:
        fields["log_format"] = {"text_format_source": {"inline_string": log.format.text}}
    elif log.format is not None and log.format.json is not None:
        fields["log_format"] = {"json_format": {item.key: item.value for item in log.format.json}}
    elif guarded:
        text = f"{_USUAL} {_CALLER}\n"
        fields["log_format"] = {"text_format_source": {"inline_string": text}}
    entry: Fields = {
        "name": "envoy.access_loggers.file",
        "typed_config": pb.pack(pb.FileAccessLog(**fields)),
    }
    if only_flags:
        entry["filter"] = {"response_flag_filter": {"flags": list(only_flags)}}
    return [entry]
