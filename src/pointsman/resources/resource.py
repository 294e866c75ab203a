"""A decoded object: its key, its labels and its typed spec."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pointsman.resources.key import Key
from pointsman.resources.origin import Origin

Spec_co = TypeVar("Spec_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Resource(Generic[Spec_co]):
    """One object as its author wrote it, in the shape of v1beta2 whatever version it came in.

    Attributes:
        key: identity.
        labels: metadata.labels.
        spec: one of the dataclasses in `resources.kinds`.
        origin: where it was written; not part of equality, so that a document which only moved
            inside its file is the same object.
    """

    key: Key
    labels: Mapping[str, str]
    spec: Spec_co
    origin: Origin
