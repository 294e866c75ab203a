"""Access logs of gateways and sidecars."""

from pointsman.graph.model.gateway import AccessLogFile
from pointsman.resources.kinds.listeners import Logging


def access_log(logging: Logging | None) -> AccessLogFile | None:
    """The file a `logging` block names, if any."""
    file = logging.access_log.file if logging and logging.access_log else None
    return AccessLogFile(file.path, file.format) if file else None
