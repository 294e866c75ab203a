"""Bodies as proxies ask about them: Envoy's authorization protocol in front of the judge.

The one place where Python sees what passes: Envoy has nothing that knows JSON Schema, and only
requests under a policy with `openapi` come here (docs/architecture.md).
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pointsman.envoy import pb
from pointsman.envoy.filters.schemas import DOCUMENT
from pointsman.graph.model.hygiene import BodySchemas
from pointsman.resources.openapi.refusal import Body, Refusal

if TYPE_CHECKING:
    from pointsman.resources.openapi.judge import Judge

_OK, _INVALID, _UNAVAILABLE = 0, 3, 14
"""Codes of `google.rpc.Status`; Envoy looks at whether it is 0."""
_TITLES: Final = {
    400: "Not as the API says",
    404: "Not found",
    405: "No such method",
    415: "Another kind of body",
    503: "Not known",
}


class Bodies:
    """Knows the documents in force, and answers for them."""

    def __init__(self) -> None:
        self._judges: dict[str, Judge] = {}

    def follow(self, documents: Mapping[str, BodySchemas]) -> None:
        """These are in force now, by name."""
        if not documents:
            self._judges = {}
            return
        # Imported when there is one: most meshes have none, and it takes a while.
        from pointsman.resources.openapi.judge import judge_by  # noqa: PLC0415

        self._judges = {
            name: judge_by(item.document, item.refuses_unknown) for name, item in documents.items()
        }

    async def answer(self, attributes: Any) -> Any:
        """The answer to `envoy.service.auth.v3.AttributeContext`."""
        judge = self._judges.get(attributes.context_extensions[DOCUMENT])
        if judge is None:
            # A proxy that has not yet heard of a change, or this server.
            refusal: Refusal | None = Refusal(503, "bodies cannot be compared now")
        else:
            http = attributes.request.http
            content = http.raw_body or http.body.encode()
            refusal = judge.judge(Body(http.method, http.path, http.headers, content))
        if refusal is None:
            return pb.CheckResponse(status={"code": _OK})
        return _refused(refusal)


def _refused(refusal: Refusal) -> Any:
    """A refusal with a body of RFC 9457."""
    problem: dict[str, Any] = {
        "type": "https://pointsman.dev/problems/body-refused",
        "title": _TITLES[refusal.status],
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.reasons:
        problem["errors"] = [{"at": item.at, "detail": item.detail} for item in refusal.reasons]
    header = {"key": "content-type", "value": "application/problem+json"}
    denied = {
        "status": {"code": refusal.status},
        "headers": [{"header": header}],
        "body": json.dumps(problem),
    }
    code = _UNAVAILABLE if refusal.status == 503 else _INVALID
    return pb.CheckResponse(status={"code": code}, denied_response=denied)
