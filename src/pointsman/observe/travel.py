"""How values travel between an instance and the commands that ask it: as JSON, in camelCase.

Each kind of answer has one module here that says what is in it; this is how all of them go over the
socket, and how a command reads what a newer instance says.
"""

from typing import Any, Final, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

T = TypeVar("T")

TRAVELS: Final = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="ignore")
"""For the dataclasses of such values."""


class Form(Generic[T]):
    """The form in which values of one class travel.

    Args:
        kind: the class, a dataclass with `TRAVELS`.
    """

    def __init__(self, kind: type[T]) -> None:
        self._adapter = TypeAdapter(kind)

    def json(self, value: T) -> dict[str, Any]:
        """The value as a JSON object with camelCase names."""
        found: dict[str, Any] = self._adapter.dump_python(value, mode="json", by_alias=True)
        return found

    def parse(self, text: str | bytes) -> T:
        """The value in a JSON text; unknown fields of newer instances are skipped.

        Raises:
            ValueError: it is not one.
        """
        return self._adapter.validate_json(text)
