"""Applications of the user's own for `pointsman up --mesh`, from the command line and a file.

    --app front='python front.py'        runs the command
    --app shop/db=127.0.0.1:5432         it runs already, and listens there
    --app web:9090=127.0.0.1:9091        one of several listeners

A file (`--apps FILE`) says the same, and a little more:

    front: python front.py
    shop/db: 127.0.0.1:5432
    web:
      command: node server.js
      folder: web                        # relative to the file
      environment: {DEBUG: "1"}
      ports: {8080: 3000}                # where it listens, if it does not ask for PORT
"""

import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml

from pointsman.errors import SourceError, UsageError
from pointsman.graph.model.cluster import Address, is_ip
from pointsman.resources.key import Key

FORM: Final = "NODE=COMMAND, NODE=ADDR:PORT or NODE:LISTENERPORT=ADDR:PORT"
_NODE = re.compile(r"(?P<node>[a-z0-9][a-z0-9./-]*)(?::(?P<port>[0-9]{1,5}))?\Z")
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[0-9.]+|localhost):(?P<port>[0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class OwnApplication:
    """The application of a virtual node, brought by the user.

    Attributes:
        node: the node's name, or `namespace/name`.
        written: where that is said, for messages.
        command: program and arguments that run it; empty when it runs already.
        folder: where the command runs; None for where Pointsman does.
        environment: names and values added to the command's environment.
        addresses: (port of the listener, address) where it listens; None stands for every listener
            that is not named.
    """

    node: str
    written: str
    command: tuple[str, ...] = ()
    folder: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()
    addresses: tuple[tuple[int | None, Address], ...] = ()

    def is_of(self, node: Key) -> bool:
        """Whether a virtual node is meant."""
        return self.node in (node.name, node.path)

    def address(self, port: int) -> Address | None:
        """Where it listens for a listener, as far as that is said."""
        said = dict(self.addresses)
        return said.get(port) or said.get(None)


def read_applications(flags: Iterable[str], file: str | None) -> tuple[OwnApplication, ...]:
    """Applications of the command line, which come first, and of the file.

    Raises:
        SourceError: the file cannot be read.
        UsageError: something is not of its form, or a program does not exist.
    """
    found: dict[str, OwnApplication] = {}
    for flag in flags:
        own = _flag(flag)
        before = found.get(own.node)
        if before is not None and not (before.addresses and own.addresses):
            raise UsageError(f"--app {flag}: {own.node} has an application already")
        if before is not None:
            own = replace(before, addresses=(*before.addresses, *own.addresses))
        found[own.node] = own
    for own in _file(file) if file is not None else ():
        found.setdefault(own.node, own)
    return tuple(found.values())


def _flag(flag: str) -> OwnApplication:
    left, equals, right = flag.partition("=")
    named = _NODE.match(left)
    where = f"--app {flag}"
    if named is None or not equals or not right.strip():
        hint = "for example --app front='python front.py', or --app db=127.0.0.1:5432"
        raise UsageError(f"{where}: not {FORM}", hint=hint)
    address = _address(right, where)
    if named["port"] is not None and address is None:
        raise UsageError(f"{where}: a command is for all listeners of a node, not for one")
    if address is None:
        return OwnApplication(named["node"], where, _command(right, where))
    port = int(named["port"]) if named["port"] else None
    return OwnApplication(named["node"], where, addresses=((port, address),))


def _address(text: str, where: str) -> Address | None:
    """An address; None for what must be a command."""
    found = _ADDRESS.match(text.strip())
    if found is None:
        return None
    host = found["host"].strip("[]")
    host = "127.0.0.1" if host == "localhost" else host
    port = int(found["port"])
    if not is_ip(host) or not 0 < port < 65536:
        raise UsageError(f"{where}: {text.strip()} is no address")
    return Address(host, port)


def _command(text: str, where: str, folder: Path | None = None) -> tuple[str, ...]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{where}: {str(error).lower()}") from None
    if not words:
        raise UsageError(f"{where}: the command is empty")
    # As a shell does it there: a name is looked for on PATH, a path counts from the folder.
    place = folder / words[0] if folder is not None and "/" in words[0] else words[0]
    program = shutil.which(place)
    if program is None:
        hint = "no shell runs it: write sh -c '...' for one"
        raise UsageError(f"{where}: there is no program {words[0]}", hint=hint)
    return (str(Path(program).absolute()), *words[1:])


def _file(name: str) -> Iterator[OwnApplication]:
    try:
        root = yaml.compose(Path(name).read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{name}: not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{name}:{line}: {error.problem}") from None
    if root is None:
        return
    seen: set[str] = set()
    for key, value in _pairs(root, name):
        where = _place(name, key)
        node = _NODE.match(str(key.value))
        if node is None or node["port"] is not None:
            raise UsageError(f"{where}: {key.value} is no name of a virtual node")
        if node["node"] in seen:
            raise UsageError(f"{where}: {key.value} is there twice")
        seen.add(node["node"])
        yield _entry(node["node"], value, name)


def _entry(node: str, value: yaml.Node, name: str) -> OwnApplication:
    where = _place(name, value)
    if isinstance(value, yaml.ScalarNode):
        address = _address(value.value, where)
        if address is not None:
            return OwnApplication(node, where, addresses=((None, address),))
        return OwnApplication(node, where, _command(value.value, where))
    fields = {str(key.value): item for key, item in _pairs(value, name)}
    unknown = fields.keys() - {"command", "folder", "environment", "ports"}
    if unknown or "command" not in fields:
        raise UsageError(
            f"{where}: {f'there is no field {min(unknown)}' if unknown else 'command is missing'}",
            hint="fields are command, folder, environment and ports",
        )
    folder = Path(name).parent / _text(fields["folder"], name) if "folder" in fields else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"{_place(name, fields['folder'])}: {folder} is no folder")
    command = _command(_text(fields["command"], name), _place(name, fields["command"]), folder)
    environment = _texts(fields.get("environment"), name)
    ports = _texts(fields.get("ports"), name)
    addresses = tuple(
        (_port(port, where), Address("127.0.0.1", _port(local, where)))
        for port, local in ports.items()
    )
    return OwnApplication(node, where, command, folder, tuple(environment.items()), addresses)


def _port(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise UsageError(f"{where}: {text} is no port")
    return int(text)


def _texts(node: yaml.Node | None, name: str) -> Mapping[str, str]:
    if node is None:
        return {}
    return {str(key.value): _text(item, name) for key, item in _pairs(node, name)}


def _text(node: yaml.Node, name: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise UsageError(f"{_place(name, node)}: a text is wanted here")
    return str(node.value)


def _pairs(node: yaml.Node, name: str) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise UsageError(f"{_place(name, node)}: a mapping is wanted here")
    yield from node.value


def _place(name: str, node: yaml.Node) -> str:
    return f"{name}:{node.start_mark.line + 1}"
