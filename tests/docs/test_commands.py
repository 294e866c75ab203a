import re
from pathlib import Path
from typing import Any

import pytest
import typer

from pointsman.cli.main import app
from tests.docs.documents import DOCUMENTS, ROOT, code

COMMAND = re.compile(r"(?:^|[|&] )(?:\S*/)?pointsman ([a-z]+)([^|>&]*)")
OPTION = re.compile(r"(?<=\s)--?[A-Za-z][a-z0-9-]*")
TARGET = re.compile(r"^make ([a-z ]+)")
COMMON = {"--debug", "--help"}


def options_of_commands() -> dict[str, set[str]]:
    group = typer.main.get_group(app)
    return {name: options_of(command) for name, command in group.commands.items()}


def options_of(command: Any) -> set[str]:
    """Options of a command, and of the commands below it."""
    own = {option for parameter in command.params for option in parameter.opts}
    return own.union(*map(options_of, getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_their_options_exist(document: Path) -> None:
    known = options_of_commands()
    for piece in code(document):
        for command, rest in COMMAND.findall(piece):
            assert command in known, piece
            assert set(OPTION.findall(rest)) <= known[command] | COMMON, piece


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for piece in code(document):
        for targets in TARGET.findall(piece):
            assert set(targets.split()) <= known, piece


def test_documents_do_name_commands() -> None:
    named = {
        found for path in DOCUMENTS for piece in code(path) for found, _ in COMMAND.findall(piece)
    }
    assert named == set(options_of_commands())
