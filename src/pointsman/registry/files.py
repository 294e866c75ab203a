"""Registry files: instances written down, for one machine, for tests and as a last resort."""

from collections.abc import Mapping, Sequence

from pointsman.registry.document import RegistryText, parse
from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.registry import Registry
from pointsman.resources.problem import Problem
from pointsman.sources import files

SOURCE = "files"


class RegistryFiles:
    """Fills a registry from files and follows their edits.

    A file with errors, and a file named by the user that is gone, stays in force as it last was.
    A file that leaves a folder takes its instances along.

    Args:
        registry: has a source called `SOURCE`.
        paths: files, or folders of files; of two instances with one id the first counts.
    """

    def __init__(self, registry: Registry, paths: Sequence[str]) -> None:
        self._registry = registry
        self._paths = paths
        self._texts: dict[str, str] = {}
        self._good: dict[str, RegistryText] = {}
        self._broken: dict[str, tuple[Problem, ...]] = {}

    def load(self) -> None:
        """Reads all files for the first time.

        Raises:
            SourceError: a path does not exist or cannot be read.
        """
        self._apply(files.read(self._paths))

    async def run(self) -> None:
        """Follows the files until it is cancelled; `load` comes first."""
        async for changes in files.watch(self._paths, dict(self._texts)):
            self._apply(changes)

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files, located."""
        return tuple(problem for found in self._broken.values() for problem in found)

    def _apply(self, changes: Mapping[str, str | None]) -> None:
        for file, text in changes.items():
            if text is None:
                self._remove(file)
            else:
                self._read(file, text)
        complete = self._good.keys() >= self._texts.keys()
        self._registry.replace(SOURCE, self._held(), complete=complete)
        gone = sorted(self._good.keys() - self._texts.keys())
        if gone:
            self._registry.fail(SOURCE, f"{', '.join(gone)} cannot be found")

    def _read(self, file: str, text: str) -> None:
        self._texts[file] = text
        found = parse(file, text)
        if found.problems:
            self._broken[file] = found.problems
        else:
            self._broken.pop(file, None)
            self._good[file] = found

    def _remove(self, file: str) -> None:
        self._texts.pop(file, None)
        self._broken.pop(file, None)
        if file not in self._paths:
            self._good.pop(file, None)

    def _held(self) -> Mapping[ServiceName, list[Instance]]:
        held: dict[ServiceName, dict[str, Instance]] = {}
        for file in sorted(self._good):
            for service, instances in self._good[file].held.items():
                known = held.setdefault(service, {})
                for instance in instances:
                    known.setdefault(instance.id, instance)
        return {service: list(known.values()) for service, known in held.items()}
