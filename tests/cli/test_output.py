import io

from pointsman.cli.output import write_lines
from pointsman.observe.lines import line


def test_quoted_text_cannot_steer_the_terminal() -> None:
    stream = io.StringIO()
    write_lines([line("red \x1b[31m, back \r, rest\tand caf\u00e9")], color=False, stream=stream)
    assert stream.getvalue() == "red \\x1b[31m, back \\x0d, rest\tand caf\u00e9\n"
