"""Versions of APIs in Envoy's words: what answers say of one, and what is answered for one.

What is in the metadata of a row tells access logs and the control plane which version a request
was for; nobody else reads it.
"""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from pointsman.envoy.matchers import Fields
from pointsman.graph.model.version import ApiVersion, Stage

METADATA: Final = "pointsman.version"
"""Namespace of the metadata of routes."""
NAME: Final = "name"
"""The version."""
TOLD: Final = "told"
"""There, whatever it is, where the control plane is told of every request."""
_TYPE: Final = "https://pointsman.dev/problems/version-retired"
_SET, _ADD = "OVERWRITE_IF_EXISTS_OR_ADD", "APPEND_IF_EXISTS_OR_ADD"


def of_version(row: Fields, version: ApiVersion | None) -> Fields:
    """A row, with headers of its answers and metadata that say which version it serves."""
    if version is None:
        return row
    known = {NAME: {"string_value": version.name}}
    if version.stage is not Stage.CURRENT:
        known[TOLD] = {"string_value": "1"}
    metadata = row.get("metadata", {}).get("filter_metadata", {})
    fields = {
        **row,
        "metadata": {"filter_metadata": {**metadata, METADATA: {"fields": known}}},
    }
    headers = [*row.get("response_headers_to_add", ()), *_headers(version)]
    return {**fields, "response_headers_to_add": headers} if headers else fields


def gone(name: str, match: Fields, version: ApiVersion) -> Fields:
    """The row of a version that is retired: 410 with a problem (RFC 9457) that says so."""
    problem: dict[str, str | int] = {
        "type": _TYPE,
        "title": "Version retired",
        "status": 410,
        "detail": f"version {version.name} is no longer served",
    }
    for relation, address in version.links:
        if relation == "successor-version":
            problem["successor"] = address
    answer = {"status": 410, "body": {"inline_string": json.dumps(problem)}}
    kind = _header("content-type", "application/problem+json", _SET)
    return {
        "name": name,
        "match": match,
        "direct_response": answer,
        "response_headers_to_add": [kind],
    }


def _headers(version: ApiVersion) -> list[Fields]:
    """`Deprecation` (RFC 9745), `Sunset` (RFC 8594), and links (RFC 8288) to read about them."""
    headers = []
    if version.deprecated_s is not None:
        headers.append(_header("deprecation", f"@{version.deprecated_s}", _SET))
    if version.sunset_s is not None:
        moment = datetime.fromtimestamp(version.sunset_s, UTC)
        headers.append(_header("sunset", format_datetime(moment, usegmt=True), _SET))
    for relation, address in version.links:
        headers.append(_header("link", f'<{address}>; rel="{relation}"', _ADD))
    return headers


def _header(name: str, value: str, action: str) -> Fields:
    # A percent sign alone begins one of Envoy's commands.
    header = {"key": name, "value": value.replace("%", "%%")}
    return {"header": header, "append_action": action}
