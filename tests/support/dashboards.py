"""The questions that the dashboards in dashboards/ ask Prometheus."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "dashboards"


@dataclass(frozen=True)
class Question:
    """One line of a graph.

    Attributes:
        board: name of the dashboard's file.
        panel: title of the graph.
        query: PromQL with variables.
    """

    board: str
    panel: str
    query: str

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}"

    @property
    def metrics(self) -> set[str]:
        """Names of metrics it is about."""
        ungrouped = re.sub(r"by \([^)]*\)", "", self.query)
        return set(re.findall(r"\b((?:envoy|pointsman)_\w+)(?=[{\[)])", ungrouped))

    @property
    def labels(self) -> set[str]:
        """Labels it chooses or groups by."""
        chosen = re.findall(r"(\w+)=~?\"", self.query)
        grouped = re.findall(r"by \(([^)]*)\)", self.query)
        return {*chosen, *(name.strip() for names in grouped for name in names.split(","))}

    def asked(self, **variables: str) -> str:
        """The query with values of its variables; `$__rate_interval` is a minute."""
        query = self.query.replace("$__rate_interval", "1m")
        for name, value in variables.items():
            query = query.replace(f"${name}", value)
        assert "$" not in query, query
        return query


def questions() -> Iterator[Question]:
    """All of them."""
    for file in sorted(FOLDER.glob("*.json")):
        board: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield Question(file.stem, panel["title"], target["expr"])


def choices() -> Iterator[tuple[str, str]]:
    """Metric and label that a variable gets its values from."""
    for file in sorted(FOLDER.glob("*.json")):
        for item in json.loads(file.read_text(encoding="utf-8"))["templating"]["list"]:
            if item["type"] == "query":
                match = re.fullmatch(r"label_values\((\w+), (\w+)\)", item["query"])
                assert match is not None, item["query"]
                yield match[1], match[2]
