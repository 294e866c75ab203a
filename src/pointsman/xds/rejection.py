"""Who is at fault for a rejected answer, as far as Envoy's message tells.

Envoy names culprits for clusters, listeners and some others, and says nothing useful for most
virtual hosts; then the session splits the answer until one resource stands alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.envoy.sealed import Sealed
from pointsman.resources.key import Key

_LISTS = re.compile(r"^Error adding/updating (?:cluster|listener)\(s\) (.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A resource a proxy would not take.

    Attributes:
        type_url: its type.
        name: its name.
        version: the rejected version.
        message: Envoy's words.
        keys: the objects it was made from.
    """

    type_url: str
    name: str
    version: str
    message: str
    keys: tuple[Key, ...]


def culprits(suspects: Sequence[Sealed], message: str) -> tuple[Sealed, ...]:
    """The resources at fault, or () when the message does not tell.

    A single suspect needs no message. Names are only believed in the form Envoy lists them in
    (`Error adding/updating cluster(s) NAME: reason, NAME: reason`, listeners one a line), since a
    name that merely occurs in a reason may belong to a neighbour.
    """
    if len(suspects) <= 1:
        return tuple(suspects)
    listed = _LISTS.match(message)
    if listed is None:
        return ()
    text = "\n" + listed[1].replace(", ", "\n")
    return tuple(sealed for sealed in suspects if f"\n{sealed.name}: " in text)
