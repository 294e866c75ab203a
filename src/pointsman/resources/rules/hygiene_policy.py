"""Rules of HygienePolicy."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from pointsman.resources.codes import access
from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import manifest_name
from pointsman.resources.kinds.hygiene_policy import AnswerHeaders, HygienePolicySpec, OpenApi
from pointsman.resources.openapi.document import DocumentError
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.rules.headers import changed_header
from pointsman.resources.rules.targets import check_targets

OF_ROUTES: Final = ("max_body_bytes", "methods", "answers", "openapi")
"""Fields that a gateway route may have, too."""
_COMPARED: Final = 2**25
"""Bytes of the longest body that is compared with a document."""


def check(resource: Resource[HygienePolicySpec]) -> Iterator[Problem]:
    """Targets, fields that go with all of them, names of headers."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    yield from _fields(key, spec)
    yield from unique(key, (*SPEC, "methods"), (), spec.methods, "method")
    for index, method in enumerate(spec.methods):
        yield from matching.method(key, (*SPEC, "methods", index), method)
    if spec.answers is not None:
        yield from _answers(key, (*SPEC, "answers"), spec.answers)
    if spec.openapi is not None:
        yield from _document(key, spec, spec.openapi)
    window = spec.shedding.window if spec.shedding else None
    if window is not None and (window.ms == 0 or window.ms % 1000):
        where: FieldPath = (*SPEC, "shedding", "window")
        message = f"{show_path(where)} is no number of whole seconds"
        yield Problem(codes.OUT_OF_RANGE, message, "", key, where)


def _document(key: Key, spec: HygienePolicySpec, api: OpenApi) -> Iterator[Problem]:
    """It can be used, and bodies are no longer than what is compared."""
    # Imported when there is one: most meshes have none, and it takes a while.
    from pointsman.resources.openapi.judge import judge_by  # noqa: PLC0415

    try:
        judge_by(api.document, api.unknown == "refuse")
    except DocumentError as error:
        where: FieldPath = (*SPEC, "openapi", "document")
        message = f"{show_path(where)} cannot be used: {error}"
        yield Problem(access.BAD_DOCUMENT, message, "", key, where)
    if spec.max_body_bytes is not None and spec.max_body_bytes > _COMPARED:
        where = (*SPEC, "maxBodyBytes")
        message = f"{show_path(where)} is more than {_COMPARED}, which is what can be compared"
        yield Problem(codes.OUT_OF_RANGE, message, "", key, where)


def _fields(key: Key, spec: HygienePolicySpec) -> Iterator[Problem]:
    """A policy says something, and to gateway routes only what they can have."""
    written = [
        item.name
        for item in fields(spec)
        if item.name != "target_refs" and getattr(spec, item.name) not in (None, ())
    ]
    routes = [i for i, ref in enumerate(spec.target_refs) if ref.kind == "GatewayRoute"]
    if not routes:
        return
    for name in written:
        if name not in OF_ROUTES:
            where: FieldPath = (*SPEC, manifest_name(name))
            message = f"{show_path(where)} belongs to a listener; targetRefs names a GatewayRoute"
            hint = "attach a policy of its own to the gateway"
            yield Problem(codes.DEPENDENT_FIELD, message, hint, key, where)
    if not any(name in OF_ROUTES for name in written):
        message = "spec needs maxBodyBytes, methods, answers or openapi"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)


def _answers(key: Key, path: FieldPath, answers: AnswerHeaders) -> Iterator[Problem]:
    for index, header in enumerate(answers.set):
        yield from changed_header(key, (*path, "set", index, "name"), header.name)
    for index, name in enumerate(answers.hide):
        yield from changed_header(key, (*path, "hide", index), name)
    names = [header.name.lower() for header in answers.set]
    yield from unique(key, (*path, "set"), ("name",), names, "name")
