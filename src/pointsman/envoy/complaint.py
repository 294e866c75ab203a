"""What Envoy says when it refuses a configuration, without a copy of what it refused.

Envoy puts the whole message that failed a check in front of the reason, as protobuf's debugging
text. That hides the reason, and a message may hold secrets.
"""

import re
from typing import Final

_DUMP: Final = re.compile(r"goo\.gle/debug\w+\s.*?\n: (?=Proto constraint validation failed)", re.S)
_MARK: Final = re.compile(r"goo\.gle/debug\w+\s+")
_NESTED: Final = re.compile(r": embedded message failed validation \| caused by \w+(?=\.)")
"""Between the fields on the way to the one at fault (protoc-gen-validate's form)."""


def reason(text: str) -> str:
    """The complaint without the message it is about, the field at fault as one path."""
    return _NESTED.sub("", _MARK.sub("", _DUMP.sub("", text)))
