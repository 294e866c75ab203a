"""Rules of HygienePolicy."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.base import manifest_name
from pointsman.resources.kinds.hygiene_policy import AnswerHeaders, HygienePolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules import matching
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.rules.headers import changed_header
from pointsman.resources.rules.targets import check_targets

OF_ROUTES: Final = ("max_body_bytes", "methods", "answers")
"""Fields that a gateway route may have, too."""


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
    window = spec.shedding.window if spec.shedding else None
    if window is not None and (window.ms == 0 or window.ms % 1000):
        where: FieldPath = (*SPEC, "shedding", "window")
        message = f"{show_path(where)} is no number of whole seconds"
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
        message = "spec needs maxBodyBytes, methods or answers"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)


def _answers(key: Key, path: FieldPath, answers: AnswerHeaders) -> Iterator[Problem]:
    for index, header in enumerate(answers.set):
        yield from changed_header(key, (*path, "set", index, "name"), header.name)
    for index, name in enumerate(answers.hide):
        yield from changed_header(key, (*path, "hide", index), name)
    names = [header.name.lower() for header in answers.set]
    yield from unique(key, (*path, "set"), ("name",), names, "name")
