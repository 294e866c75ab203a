"""Who calls, from the tables of credentials to the headers that backends, rules and limits read.

The principal is one text with three parts. One filter takes it apart into dynamic metadata,
which access logs can show; another one writes the parts into headers of their own. Names in the
metadata are part of the documented surface: `%DYNAMIC_METADATA(pointsman:consumer)%`.
"""

from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.matchers import Fields

METADATA: Final = "pointsman"
"""Namespace of the dynamic metadata."""
SPLIT: Final = "pointsman.identity"
HEADERS: Final = "pointsman.identity_headers"
SUBJECT: Final = "pointsman.subject"

_PARTS: Final = (
    ("consumer", names.CONSUMER_HEADER, r"^([^|]*)\|.*$"),
    ("credential", names.CREDENTIAL_HEADER, r"^[^|]*\|([^|]*)\|.*$"),
    ("groups", names.GROUPS_HEADER, r"^[^|]*\|[^|]*\|(.*)$"),
)


def split_filter() -> Fields:
    """Takes the principal apart."""
    rules = [_part(key, regex) for key, _, regex in _PARTS]
    config = pb.HeaderToMetadata(request_rules=rules)
    return {"name": SPLIT, "disabled": True, "typed_config": pb.pack(config)}


def _part(key: str, regex: str) -> Fields:
    rewrite = {"pattern": {"regex": regex}, "substitution": r"\1"}
    value = {"metadata_namespace": METADATA, "key": key, "regex_value_rewrite": rewrite}
    return {"header": names.PRINCIPAL_HEADER, "on_header_present": value}


def headers_filter() -> Fields:
    """Writes the parts into headers."""
    changes = [_set(name, f"%DYNAMIC_METADATA({METADATA}:{key})%") for key, name, _ in _PARTS]
    changes.append({"remove": names.PRINCIPAL_HEADER})
    config = pb.HeaderMutation(mutations={"request_mutations": changes})
    return {"name": HEADERS, "disabled": True, "typed_config": pb.pack(config)}


def subject_filter() -> Fields:
    """Names the subject of a token or a certificate, as rows of the route table say."""
    return {"name": SUBJECT, "disabled": True, "typed_config": pb.pack(pb.HeaderMutation())}


def subject_of_row(value: str) -> pb.Message:
    """What a row looks up, in Envoy's format of header values."""
    changes = [_set(names.SUBJECT_HEADER, value)]
    return pb.HeaderMutationPerRoute(mutations={"request_mutations": changes})


def _set(name: str, value: str) -> Fields:
    header = {"key": name, "value": value}
    return {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
