"""Rules of listeners and logs, shared by VirtualGateway and VirtualNode."""

from collections.abc import Iterator, Mapping

from pointsman.resources.codes import fields as codes
from pointsman.resources.codes import notes
from pointsman.resources.key import Key
from pointsman.resources.kinds.listeners import HealthCheck, Logging
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.rules.common import one_of, unique
from pointsman.resources.rules.log_format import complaints


def by_protocol(
    key: Key, path: FieldPath, values: Mapping[str, object], protocol: str
) -> Iterator[Problem]:
    """Exactly one value is given, under the protocol of the listener."""
    yield from one_of(key, path, values)
    present = [name for name, value in values.items() if value is not None]
    if len(present) == 1 and present[0] != protocol:
        message = f"{show_path(path)}.{present[0]} does not fit the listener, which is {protocol}"
        hint = f"write it under {protocol}"
        yield Problem(codes.DEPENDENT_FIELD, message, hint, key, (*path, present[0]))


def health_check(
    key: Key, path: FieldPath, check: HealthCheck | None, port: int
) -> Iterator[Problem]:
    """The listener's own port; a path exactly for the protocols that have paths."""
    if check is None:
        return
    if check.port is not None and check.port != port:
        message = f"{show_path(path)}.port is {check.port}, but the listener's port is {port}"
        yield Problem(codes.BAD_PORT, message, "leave it out", key, (*path, "port"))
    http = check.protocol in ("http", "http2")
    if http and check.path is None:
        message = f"{show_path(path)}.path is missing; {check.protocol} checks request a path"
        yield Problem(codes.MISSING_FIELD, message, "path: /ping, for instance", key, path)
    elif http and check.path is not None and not check.path.startswith("/"):
        message = f"{show_path(path)}.path must begin with /"
        yield Problem(codes.BAD_PATH, message, f"write /{check.path}", key, (*path, "path"))
    elif not http and check.path is not None:
        message = f"{show_path(path)}.path has no effect: {check.protocol} checks have no path"
        yield Problem(notes.NO_EFFECT, message, "", key, (*path, "path"))


def logging(key: Key, path: FieldPath, log: Logging | None) -> Iterator[Problem]:
    """A format is JSON or text."""
    file = log.access_log.file if log and log.access_log else None
    if file is None or file.format is None:
        return
    where: FieldPath = (*path, "accessLog", "file", "format")
    yield from one_of(key, where, {"json": file.format.json, "text": file.format.text})
    names = (field.key for field in file.format.json or ())
    yield from unique(key, (*where, "json"), ("key",), names, "key")
    if file.format.text is not None:
        yield from _format(key, (*where, "text"), file.format.text)
    for index, field in enumerate(file.format.json or ()):
        yield from _format(key, (*where, "json", index, "value"), field.value)


def _format(key: Key, path: FieldPath, text: str) -> Iterator[Problem]:
    for complaint, hint in complaints(text):
        message = f"{show_path(path)}: {complaint}"
        yield Problem(codes.BAD_LOG_FORMAT, message, hint, key, path)
