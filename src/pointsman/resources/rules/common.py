"""Rules that several kinds share: alternatives, names, hosts, selectors, control characters."""

import ipaddress
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import LabelSelector
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.words import listed, shown

SPEC: FieldPath = ("spec",)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*)\Z")
_BAD_IN_AWS_NAME = re.compile(r"[\s/]")


def one_of(
    key: Key, path: FieldPath, values: Mapping[str, object], *, needed: bool = True
) -> Iterator[Problem]:
    """Exactly one of the values is not None; at most one when it is not `needed`."""
    present = [name for name, value in values.items() if value is not None]
    if len(present) > 1:
        message = f"{show_path(path)} has {listed(present, 'and')}, which exclude each other"
        yield Problem(codes.ONE_OF, message, "keep one of them", key, (*path, present[1]))
    elif needed and not present:
        message = f"{show_path(path)} needs one of {listed(values, 'and')}"
        yield Problem(codes.ONE_OF, message, "", key, path)


def unique(
    key: Key, path: FieldPath, field: tuple[str, ...], values: Iterable[Hashable], what: str
) -> Iterator[Problem]:
    """No two entries of the list at `path` have the same value, except None."""
    seen: dict[Hashable, int] = {}
    for index, value in enumerate(values):
        if value is None:
            continue
        first = seen.setdefault(value, index)
        if first != index:
            where: FieldPath = (*path, index, *field)
            message = f"{show_path(path)}[{index}] has the same {what} as [{first}]: {value}"
            yield Problem(codes.DUPLICATE_ENTRY, message, "", key, where)


def aws_name(key: Key, name: str | None) -> Iterator[Problem]:
    """A name inside App Mesh becomes a part of node ids, whose separator is `/`."""
    if name is not None and _BAD_IN_AWS_NAME.search(name):
        message = f"spec.awsName is {shown(name)}; it may have no `/` and no spaces"
        yield Problem(codes.BAD_NAME, message, "", key, (*SPEC, "awsName"))


def host(key: Key, path: FieldPath, name: str, *, ending: bool = False) -> Iterator[Problem]:
    """A host name, without port and wildcard; or the ending of one, which may begin with a dot."""
    if _HOST.match(name.lstrip(".-") if ending else name):
        if name.lower() != name:
            message = f"{show_path(path)} is {shown(name)}; hosts are compared in lower case"
            yield Problem(codes.UPPER_CASE_HOST, message, f"write {name.lower()}", key, path)
        return
    message = f"{show_path(path)} is {shown(name)}, which is not a host name"
    yield Problem(codes.BAD_HOSTNAME, message, _host_hint(name), key, path)


def address(key: Key, path: FieldPath, name: str) -> Iterator[Problem]:
    """A host name or an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if not _HOST.match(name):
            message = f"{show_path(path)} is {shown(name)}, which is not a host name"
            yield Problem(codes.BAD_HOSTNAME, message, _host_hint(name), key, path)


def _host_hint(name: str) -> str:
    if "://" in name:
        return "write the host alone, without the scheme"
    if "*" in name.lstrip("*"):
        return "hosts have no wildcards inside"
    if "*" in name:
        return f"write suffix: {name.lstrip('*') or '.example.com'}; anything may stand before it"
    if re.search(r":\d+\Z", name):
        return f"write {name.rsplit(':', 1)[0]}; the port is not part of the host"
    if "/" in name:
        return "write the host alone, without a path"
    return ""


def selector(key: Key, path: FieldPath, labels: LabelSelector | None) -> Iterator[Problem]:
    """In and NotIn need values, Exists and DoesNotExist take none."""
    for index, expression in enumerate(labels.match_expressions if labels else ()):
        wants = expression.operator in ("In", "NotIn")
        if wants == bool(expression.values):
            continue
        where: FieldPath = (*path, "matchExpressions", index)
        verb = "needs" if wants else "takes no"
        message = f"{show_path(where)}: the operator {expression.operator} {verb} values"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)


def control_characters(key: Key, tree: Any, path: FieldPath = SPEC) -> Iterator[Problem]:
    """Texts below `path` with characters that Envoy refuses in names, paths and headers.

    Formats of access logs and documents are exempt: they bring their own line ends.
    """
    if path[-1] in ("format", "document"):
        return
    if isinstance(tree, str):
        if _CONTROL.search(tree):
            hint = "write |- or >- instead of | or >" if tree.rstrip("\n").isprintable() else ""
            message = f"{show_path(path)} is {shown(tree)}, with a control character in it"
            yield Problem(codes.CONTROL_CHARACTER, message, hint, key, path)
        return
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from control_characters(key, value, (*path, name))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from control_characters(key, value, (*path, index))
