"""Writes what the code already says: problems.md, manifests.md, and the table in doctor.md.

python scripts/generate_docs.py            writes them
python scripts/generate_docs.py --check    exits 1 when they are not current
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from schema_text import Block, blocks_of, rows_of

from pointsman.doctor.catalogue import CHECKS
from pointsman.doctor.told import LEFT_OUT, TOLD
from pointsman.resources import codes
from pointsman.resources.kinds.registry import (
    APP_MESH,
    FLAGGER,
    GROUPS,
    POINTSMAN,
    POLICIES,
    SPECS,
    Group,
)
from pointsman.resources.kinds.targets import SECTIONS, Targets
from pointsman.resources.problem import Code

DOCS = Path(__file__).parent.parent / "docs"
BEGIN = "<!-- Written by scripts/generate_docs.py from here; edit the code instead. -->\n"
END = "<!-- Written by hand from here. -->\n"
GENERATED = "<!-- Written by scripts/generate_docs.py; edit the code instead. -->\n"

FAMILIES = {
    "0": "Delivery and telemetry: rollouts, versions, collectors",
    "1": "Reading: text, documents, objects written twice",
    "2": "Fields: one object taken by itself",
    "3": "References: objects that name each other",
    "4": "Routing: what requests would meet",
    "5": "What is accepted though foreign, and what is not enforced",
    "6": "What Envoy says",
    "7": "Registries of instances",
    "8": "Identity",
    "9": "Who may call, and how often",
}


def all_codes() -> list[Code]:
    """Every code of `pointsman.resources.codes`, in order of their ids."""
    found: dict[str, Code] = {}
    for info in pkgutil.iter_modules(codes.__path__):
        module = importlib.import_module(f"{codes.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Code) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"{value.id} is used twice")
    return [found[key] for key in sorted(found)]


def problems_page() -> str:
    """docs/problems.md: every code with its severity and explanation."""
    parts = [
        "# Problems\n",
        GENERATED,
        "Everything Pointsman can say about manifests. A code never changes its meaning. An "
        "error keeps something from being served, a warning does not, a note only informs.\n",
        '`pointsman check --json` prints `{"problems": [...]}`, each with `code`, `severity`, '
        "`message`, `hint`, `file`, `line`, `column`, `object` and `field`; what is not known is "
        "null.\n",
    ]
    family = ""
    for code in all_codes():
        if code.id[2] != family:
            family = code.id[2]
            parts.append(f"## PM{family}xx. {FAMILIES[family]}\n")
        parts.append(f'<a id="{code.id}"></a>\n\n### {code.id} {code.title}\n')
        parts.append(f"*{code.severity.value.capitalize()}.* {code.explanation}\n")
    return "\n".join(parts)


def manifests_page() -> str:
    """docs/manifests.md: every kind, its fields and the blocks below them."""
    used: dict[Block, list[str]] = {}
    for kind, spec in SPECS.items():
        for block in blocks_of(spec):
            used.setdefault(block, []).append(kind)
    parts = [
        "# Manifests\n",
        GENERATED,
        f"The kinds of `{APP_MESH.api_version}`, `{POINTSMAN.api_version}` and "
        f"`{FLAGGER.api_version}`, and their fields below `spec`. Where no default stands, absent "
        "is a meaning of its own. Types are taken literally: `8080` is a number, "
        '`"8080"` is text.\n',
        *(_contents(group) for group in GROUPS.values()),
        "- [Shared blocks](#shared)\n",
    ]
    for kind, spec in SPECS.items():
        module = importlib.import_module(spec.__module__)
        parts.append(f'<a id="{kind}"></a>\n\n## {kind}\n')
        parts.append(f"{(module.__doc__ or '').strip()}\n")
        if kind in POLICIES:
            parts.append(_attaches(spec.TARGETS))
        own = [block for block, kinds in used.items() if kinds == [kind] and block is not spec]
        parts.extend(_sections([spec, *own], "spec"))
    parts.append('<a id="shared"></a>\n\n## Shared blocks\n')
    parts.extend(_sections([block for block, kinds in used.items() if len(kinds) > 1], ""))
    return "\n".join(parts)


def _contents(group: Group) -> str:
    kinds = (f"  - [{kind}](#{kind})" for kind in group.specs)
    return "\n".join((f"- `{group.api_version}`", *kinds))


def _attaches(targets: Targets) -> str:
    """Where a kind of policy may be attached."""
    names = (
        f"{kind}, or one {SECTIONS[kind]} of it" if kind in targets.sections else kind
        for kind in targets.kinds
    )
    return f"Attaches to: {'; '.join(names)}.\n"


def _sections(blocks: Iterable[Block], first: str) -> Iterator[str]:
    for index, block in enumerate(blocks):
        if index or not first:
            yield f'<a id="{block.__name__}"></a>\n\n### {block.__name__}\n'
            yield f"{(block.__doc__ or '').strip()}\n"
        rows = ["| field | type | default | meaning |", "|---|---|---|---|", *rows_of(block)]
        yield "\n".join(rows) + "\n"


def doctor_page() -> str:
    """docs/doctor.md with its tables anew; the rest of it is written by hand."""
    text = (DOCS / "doctor.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "".join((before, BEGIN, *_checks(), *_left_out(), "\n", END, after))


def _checks() -> Iterator[str]:
    yield "\n| Check | Severity | Symptoms | What is found | Why, and what to do | Problems |\n"
    yield "|---|---|---|---|---|---|\n"
    for check in CHECKS.values():
        symptoms = ", ".join(sorted(check.symptoms)) or "none"
        problems = _linked(code for code, told in TOLD.items() if told is check)
        cells = (check.code, check.severity, symptoms, check.title, check.explanation, problems)
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def _left_out() -> Iterator[str]:
    yield "\nProblems that are no findings, and why:\n\n"
    for reason in dict.fromkeys(LEFT_OUT.values()):
        codes_of_it = _linked(code for code, why in LEFT_OUT.items() if why == reason)
        yield f"- {reason}: {codes_of_it}\n"


def _linked(ids: Iterable[str]) -> str:
    return ", ".join(f"[{code}](problems.md#{code})" for code in sorted(ids))


PAGES = {"doctor.md": doctor_page, "problems.md": problems_page, "manifests.md": manifests_page}


def outdated() -> list[str]:
    """Pages that are missing or differ from what the code says."""
    return [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != page()
    ]


def main() -> int:
    """Writes the pages, or tells which are not current."""
    if "--check" in sys.argv[1:]:
        names = outdated()
        for name in names:
            sys.stderr.write(f"docs/{name} is not current: run scripts/generate_docs.py\n")
        return 1 if names else 0
    DOCS.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
