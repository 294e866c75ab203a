"""Rules of Consumer."""

import re
from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.kinds.consumer import ConsumerSpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.words import shown

_GROUP = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")


def check(resource: Resource[ConsumerSpec]) -> Iterator[Problem]:
    """Names of groups, which travel in a header, and nothing twice."""
    key, spec = resource.key, resource.spec
    for index, group in enumerate(spec.groups):
        if not _GROUP.match(group):
            where: FieldPath = (*SPEC, "groups", index)
            message = f"{show_path(where)} is {shown(group)}, not the name of a group"
            hint = "letters, digits, `-`, `_` and `.`, beginning and ending with one of the first"
            yield Problem(codes.BAD_NAME, message, hint, key, where)
    yield from unique(key, (*SPEC, "groups"), (), spec.groups, "group")
    yield from unique(key, (*SPEC, "certificates"), (), spec.certificates, "name")
    tokens = (f"{item.issuer} {item.subject}" for item in spec.tokens)
    yield from unique(key, (*SPEC, "tokens"), (), tokens, "issuer and subject")
