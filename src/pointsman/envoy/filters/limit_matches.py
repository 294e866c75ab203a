"""Which requests a limit's filter acts on: Envoy's matcher around the filter.

A filter of an override acts on whom the override is for, and on none for whom an earlier one is;
the limit's own filter acts on the rest. So each request meets one allowance of each limit.
"""

import re
from collections.abc import Iterator
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.filters.limited import Counter
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.limits import Counted, Limit, Override
from pointsman.graph.model.match import HeaderCondition, HeaderTest, PathCondition, PathKind

_SKIP: Final = {"name": "skip", "typed_config": pb.pack(pb.SkipFilter())}
_QUERY: Final = r"(?:\?.*)?"


def acting(counter: Counter, config: pb.Message) -> pb.Message:
    """The filter; where it leaves some requests alone, inside of a matcher."""
    found = [*_conditions(counter)]
    if not found:
        return config
    left = {"predicate": {"not_matcher": all_of(found)}, "on_match": {"action": _SKIP}}
    return pb.ExtensionWithMatcher(
        extension_config={"name": counter.name, "typed_config": pb.pack(config)},
        xds_matcher={"matcher_list": {"matchers": [left]}},
    )


def _conditions(counter: Counter) -> Iterator[Fields]:
    yield from _counted(counter.limit.counted)
    yield from _callers(counter.limit, counter.override)


def _callers(limit: Limit, index: int | None) -> Iterator[Fields]:
    """For whom an override is, and no earlier one."""
    if index is not None:
        yield _fits(limit.overrides[index])
    for earlier in limit.overrides[:index]:
        yield {"not_matcher": _fits(earlier)}


def _fits(override: Override) -> Fields:
    found = []
    if override.consumers:
        consumers = [key.path for key in override.consumers]
        found.append(_text(names.CONSUMER_HEADER, _one_of(consumers)))
    if override.groups:
        groups = "|".join(map(re.escape, override.groups))
        found.append(_text(names.GROUPS_HEADER, _regex(f".*,(?:{groups}),.*")))
    return found[0] if len(found) == 1 else {"or_matcher": {"predicate": found}}


def _counted(match: Counted) -> list[Fields]:
    found = []
    if match.methods:
        found.append(_text(":method", _one_of(list(match.methods))))
    if match.paths:
        regex = "|".join(f"(?:{_path(item)})" for item in match.paths)
        found.append(_text(":path", _regex(regex)))
    for condition in match.headers:
        found.extend(_header(condition))
    return found


def _one_of(values: list[str]) -> Fields:
    if len(values) == 1:
        return {"exact": values[0]}
    return _regex("|".join(map(re.escape, values)))


def _regex(regex: str) -> Fields:
    return {"safe_regex": {"regex": regex, "google_re2": {}}}


def _path(path: PathCondition) -> str:
    """A condition on the path as one on path and query."""
    match path.kind:
        case PathKind.EXACT:
            return re.escape(path.value) + _QUERY
        case PathKind.PREFIX:
            return re.escape(path.value) + ".*"
        case PathKind.REGEX:
            return f"(?:{path.value}){_QUERY}"


def _header(condition: HeaderCondition) -> Iterator[Fields]:
    """Inverted, a test of a value still needs the header to be there, as everywhere."""
    there = present(condition.name)
    match condition.test:
        case HeaderTest.REGEX:
            test = _text(condition.name, _regex(condition.value))
        case HeaderTest.EXACT | HeaderTest.PREFIX | HeaderTest.SUFFIX:
            test = _text(condition.name, {condition.test.value: condition.value})
        case HeaderTest.PRESENT | HeaderTest.RANGE:
            test = there
    if not condition.invert:
        yield test
        return
    if test is not there:
        yield there
    yield {"not_matcher": test}


def _text(header: str, match: Fields) -> Fields:
    value = {"name": header, "typed_config": pb.pack(pb.RequestHeaderInput(header_name=header))}
    return {"single_predicate": {"input": value, "value_match": match}}


def present(header: str) -> Fields:
    """The header is there."""
    return _text(header, _regex(".*"))


def all_of(found: list[Fields]) -> Fields:
    """All of the conditions, of which there is one at least."""
    return found[0] if len(found) == 1 else {"and_matcher": {"predicate": found}}
