from pointsman.proxy.log_lines import (
    LogLine,
    core_of,
    last_words,
    parse_line,
)


def test_lines_are_taken_apart_and_unescaped() -> None:
    assert parse_line("warning|config|a|b \\'c\\'\\n\\303\\244") == LogLine(
        "warning", "config", "a|b 'c'\nä"
    )
    assert parse_line("PARSE ERROR: no such argument") == LogLine(
        "error", "", "PARSE ERROR: no such argument"
    )
    assert parse_line("info|main|broken \\x").text == "broken \\x"


def test_only_the_worst_lines_are_last_words() -> None:
    lines = [
        LogLine("warning", "main", "a warning"),
        LogLine("critical", "main", "error `it is so` initializing config 'x\n y'"),
        LogLine("critical", "main", "error initializing configuration '/b.json': it is so"),
    ]
    assert last_words(lines) == ["it is so"]
    assert last_words(lines[:1]) == ["a warning"]
    assert last_words([LogLine("info", "main", "exiting")]) == []
    assert core_of(" as it is ") == "as it is"
