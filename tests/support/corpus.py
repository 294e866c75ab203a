"""The App Mesh walkthroughs beside the checkout, and what each of them must show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

_BESIDE = (above / "shared" / "corpus" / "appmesh" for above in Path(__file__).resolve().parents)
CORPUS = next((folder for folder in _BESIDE if folder.is_dir()), None)

needed = pytest.mark.skipif(
    CORPUS is None,
    reason="shared/corpus/appmesh, the walkthrough manifests, is in no folder above this checkout",
)


@dataclass(frozen=True, slots=True)
class Walkthrough:
    """One folder of the corpus.

    Attributes:
        name: its folder.
        files: its manifests, as they are.
        variables: values of their variables.
        requests: what to send and what must come of it, as in expectations.yaml.
        authority: whom requests from inside the mesh are for.
    """

    name: str
    files: tuple[Path, ...]
    variables: Mapping[str, str]
    requests: tuple[Mapping[str, Any], ...] = ()
    authority: str = ""

    @property
    def arguments(self) -> list[str]:
        """Paths and variables for the command line."""
        filled = [f"--var={name}={value}" for name, value in self.variables.items()]
        return [*map(str, self.files), *filled]


def _read() -> dict[str, Walkthrough]:
    if CORPUS is None:
        return {}
    expectations = yaml.safe_load((CORPUS / "expectations.yaml").read_text(encoding="utf-8"))
    found = {}
    for name, entry in expectations.items():
        files = [file for wanted in entry["apply"] for file in sorted((CORPUS / name).glob(wanted))]
        requests = tuple(entry.get("requests", ()))
        authority = entry.get("authority", "")
        found[name] = Walkthrough(name, tuple(files), entry["vars"], requests, authority)
    return found


WALKTHROUGHS = _read()
