"""Access logs of a gateway."""

from pointsman.envoy import pb
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.gateway import AccessLogFile


def access_log(log: AccessLogFile | None, only_flags: tuple[str, ...] = ()) -> list[Fields]:
    """`envoy.config.accesslog.v3.AccessLog` entries.

    Args:
        log: file and format; None logs nothing.
        only_flags: log only requests that end with one of these response flags.
    """
    if log is None:
        return []
    fields: Fields = {"path": log.path}
    if log.format is not None and log.format.text is not None:
        fields["log_format"] = {"text_format_source": {"inline_string": log.format.text}}
    elif log.format is not None and log.format.json is not None:
        fields["log_format"] = {"json_format": {item.key: item.value for item in log.format.json}}
    entry: Fields = {
        "name": "envoy.access_loggers.file",
        "typed_config": pb.pack(pb.FileAccessLog(**fields)),
    }
    if only_flags:
        entry["filter"] = {"response_flag_filter": {"flags": list(only_flags)}}
    return [entry]
