"""OpenAPI documents, as far as they say which JSON bodies requests may have.

Of 3.0 and 3.1 the paths, the servers they stand below, and the schemas of bodies are read
(OpenAPI Specification 3.1.0, section 4.8). Whatever else a document says is not looked at here:
parameters, headers, security and answers. Comparing bodies is up to `judge.py`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from pointsman.resources.text import UnreadableError, read

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_VERSION: Final = re.compile(r"3\.(?P<minor>[01])\.\d+")
_BODIES: Final = re.compile(r"application/(?:json|\*)|\*/\*|[^/;]+/[^/;]+\+json")
_OWN: Final = "#/components/"
_VARIABLE: Final = re.compile(r"\{[^{}/]+\}")


class DocumentError(Exception):
    """A document cannot be used; the message says where in it, and why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a method of a path takes.

    Attributes:
        name: `POST /pets/{id}`, as the document has it.
        method: in upper case.
        pattern: expression for whole paths, with the servers' own.
        variables: how many there are in the path: of several that match, the one with the fewest
            is meant.
        schemas: media type -> schema of JSON bodies; those of other types are not compared.
        others: media types of bodies that are not compared.
        required: whether there has to be a body.
    """

    name: str
    method: str
    pattern: str
    variables: int
    schemas: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Api:
    """A document.

    Attributes:
        modern: whether schemas are of JSON Schema 2020-12, as those of OpenAPI 3.1 are; those of
            3.0 are brought into the form of draft 7.
        operations: all there are.
    """

    modern: bool
    operations: tuple[Operation, ...]


@lru_cache(maxsize=32)
def read_api(text: str) -> Api:
    """Reads a document.

    Args:
        text: JSON or YAML.

    Raises:
        DocumentError: it is none, or has something that is not understood.
    """
    root = _parsed(text)
    version = _VERSION.fullmatch(str(root.get("openapi", "")))
    if version is None:
        raise DocumentError("openapi: this is not 3.0.x or 3.1.x")
    modern = version["minor"] == "1"
    reader = _Reader(root, modern)
    return Api(modern, tuple(reader.operations()))


def _parsed(text: str) -> dict[str, Any]:
    try:
        tree = read(text)
    except UnreadableError as error:
        raise DocumentError(f"line {error.fault.line}: {error.fault.message}") from None
    if tree.faults:
        raise DocumentError(f"line {tree.faults[0].line}: {tree.faults[0].message}")
    if not isinstance(tree.value, dict):
        raise DocumentError("it is no mapping")
    return tree.value


class _Reader:
    """Reads operations of a document.

    Args:
        root: the document.
        modern: see `Api`.
    """

    def __init__(self, root: dict[str, Any], modern: bool) -> None:
        self._root = root
        self._modern = modern
        self._components: dict[str, Any] = {}

    def operations(self) -> Iterator[Operation]:
        """All there are."""
        for path, given in _mapping(self._root.get("paths", {}), "paths").items():
            where = f"paths[{path}]"
            item = self._resolved(given, where)
            for method in METHODS:
                if method in item:
                    operation = _mapping(item[method], f"{where}.{method}")
                    servers = operation.get("servers") or item.get("servers")
                    yield self._operation(path, method, operation, servers)

    def _operation(
        self, path: str, method: str, operation: Mapping[str, Any], servers: Any
    ) -> Operation:
        where = f"paths[{path}].{method}"
        if not path.startswith("/"):
            raise DocumentError(f"{where}: the path does not begin with /")
        bases = _bases(servers or self._root.get("servers"), where)
        pattern = f"(?:{'|'.join(map(_pattern, bases))}){_pattern(path)}"
        name = f"{method.upper()} {path}"
        variables = len(_VARIABLE.findall(path))
        if "requestBody" not in operation:
            return Operation(name, method.upper(), pattern, variables)
        where += ".requestBody"
        body = self._resolved(operation["requestBody"], where)
        schemas, others = self._content(body, where)
        required = body.get("required") is True
        return Operation(name, method.upper(), pattern, variables, schemas, tuple(others), required)

    def _content(self, body: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
        schemas: dict[str, Any] = {}
        others: list[str] = []
        for written, media in _mapping(body.get("content"), f"{where}.content").items():
            name = written.partition(";")[0].strip().lower()
            if _BODIES.fullmatch(name):
                given = _mapping(media, f"{where}.content[{written}]").get("schema", {})
                schemas[name] = self._schema(given, f"{where}.content[{written}].schema")
            else:
                others.append(name)
        return schemas, others

    def _schema(self, given: Any, where: str) -> Any:
        """A schema that stands for itself, with all that it refers to."""
        found: dict[str, Any] = {}
        own = self._translated(given, where, found)
        components: dict[str, Any] = {}
        for name, schema in found.items():
            place = components
            *folders, last = name.split("/")
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = schema
        return {"allOf": [own], "components": components}

    def _translated(self, node: Any, where: str, found: dict[str, Any]) -> Any:
        if isinstance(node, list):
            return [self._translated(item, where, found) for item in node]
        if not isinstance(node, dict):
            return node
        target = node.get("$ref")
        if isinstance(target, str):
            self._follow(target, where, found)
        for name in ("$id", "$schema", "$dynamicRef", "$anchor"):
            if isinstance(node.get(name), str):
                raise DocumentError(f"{where}: {name} is not understood in schemas here")
        made = {key: self._translated(item, where, found) for key, item in node.items()}
        return made if self._modern else _draft_7(made)

    def _follow(self, target: str, where: str, found: dict[str, Any]) -> None:
        if not target.startswith(_OWN):
            message = f"{where}: $ref {target} leads out of #/components, which nothing follows"
            raise DocumentError(message)
        name = target.removeprefix(_OWN)
        if name not in found:
            found[name] = {}
            found[name] = self._translated(self._at(target, where), target, found)

    def _resolved(self, given: Any, where: str) -> Mapping[str, Any]:
        """What is there, or what it refers to."""
        for _ in range(8):
            node = _mapping(given, where)
            target = node.get("$ref")
            if target is None:
                return node
            if not isinstance(target, str) or not target.startswith(_OWN):
                raise DocumentError(f"{where}: $ref {target} leads out of #/components")
            given, where = self._at(target, where), target
        raise DocumentError(f"{where}: references go round in circles")

    def _at(self, target: str, where: str) -> Any:
        node: Any = self._root
        for step in target.removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or name not in node:
                raise DocumentError(f"{where}: there is no {target}")
            node = node[name]
        return node


def _mapping(node: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        raise DocumentError(f"{where}: this is no mapping")
    return node


def _bases(servers: Any, where: str) -> list[str]:
    """Paths of servers, without a slash at their end."""
    if servers is None:
        return [""]
    if not isinstance(servers, list):
        raise DocumentError(f"{where}: servers is no list")
    urls = [str(_mapping(item, f"{where}.servers").get("url", "/")) for item in servers]
    return list(dict.fromkeys(urlsplit(url).path.rstrip("/") for url in urls)) or [""]


def _pattern(path: str) -> str:
    """An expression for a path: a variable is anything but a slash."""
    fixed = _VARIABLE.split(path)
    return "[^/]+".join(re.escape(piece) for piece in fixed)


def _draft_7(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema object of OpenAPI 3.0 in the words of JSON Schema draft 7 (section 4.7.24)."""
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = schema.get(bound)
        if isinstance(value, bool):
            del schema[bound]
            if value and limit in schema:
                schema[bound] = schema.pop(limit)
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    return schema
