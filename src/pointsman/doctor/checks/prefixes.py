"""R08: prefixes that end within a word, and get what is left of a neighbour.

A prefix without a slash at its end is fine as long as nothing else begins like it. Where another
route does, its author knows of the neighbour; requests for the neighbour that miss its further
conditions end at the shorter prefix, which was not meant for them.
"""

from collections.abc import Iterator

from pointsman.doctor.catalogue.routes import PREFIX_IN_WORD
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.doctor.shadows import Entry
from pointsman.doctor.tables import Table, tables
from pointsman.graph.model.match import PathKind, RequestMatch


def prefixes_in_words(evidence: Evidence) -> Iterator[Finding]:
    """Prefixes that take what a longer one with conditions leaves."""
    for table in tables(evidence):
        yield from _in_table(table)


def _in_table(table: Table) -> Iterator[Finding]:
    prefixes = [entry for entry in table if entry.match.path.kind is PathKind.PREFIX]
    whole = {entry.match.path.value: entry for entry in prefixes if _is_whole(entry.match)}
    for entry in prefixes:
        value = entry.match.path.value
        if _is_whole(entry.match) or value in whole:
            continue
        nearest = next((value[:n] for n in range(len(value) - 1, 0, -1) if value[:n] in whole), "")
        if nearest and _ends_in_word(nearest, value):
            yield _finding(whole[nearest], entry)


def _is_whole(match: RequestMatch) -> bool:
    return match.condition_count == 0


def _ends_in_word(prefix: str, longer: str) -> bool:
    """Whether the segment that the prefix ends in goes on in the longer one."""
    return not prefix.endswith("/") and longer[len(prefix)] != "/"


def _finding(short: Entry, neighbour: Entry) -> Finding:
    value, other = short.match.path.value, neighbour.match.path.value
    return found(
        PREFIX_IN_WORD,
        short.key,
        (*short.path, "prefix"),
        f"prefix {value} also takes {other}, where {neighbour.name} does not",
        fact(
            f"{neighbour.name} takes prefix {other} under further conditions only",
            neighbour.key,
            neighbour.path,
        ),
        advice=f"write prefix {value}/ and a route for the exact path {value}, "
        f"or a route for {other} without conditions",
    )
