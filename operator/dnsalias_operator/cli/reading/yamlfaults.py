"""libyaml's errors in terms of manifests: where they are, and what was expected there."""

from collections.abc import Mapping

import yaml
from yaml.reader import ReaderError

from dnsalias_operator.cli.reading.problems import Fault

_EXPECTED: Mapping[str, str] = {
    "mapping values are not allowed in this context": "expected a single value here: quote text that contains ': ', "
    "or check the indentation of this line",
    "found character that cannot start any token": "expected a value: quote text that starts with @, ` or %",
    "did not find expected key": "expected a key: check the indentation of this line",
    "did not find expected '-' indicator": "expected '-': the list above ends here; check the indentation of this line",
    "could not find expected ':'": "expected ':' after the key",
    "found unexpected end of stream": "expected a closing quote before the end",
    "found unexpected document indicator": "expected a closing quote before the document ends",
    "did not find expected <document start>": "expected '---' before another document",
}


def explain(error: yaml.YAMLError, text: str, line: int) -> Fault:
    """The fault behind ``error`` in ``text``, which starts after ``line`` lines of its file."""
    if isinstance(error, ReaderError):
        # libyaml counts bytes here, and characters everywhere else.
        before = text.encode()[: error.position].decode(errors="ignore")
        column = len(before) - (before.rfind("\n") + 1) + 1
        return Fault(line + before.count("\n") + 1, column, f"{error.reason}; expected printable text")
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    message = _EXPECTED.get(problem, problem.replace("did not find expected", "expected"))
    row, column = (mark.line, mark.column) if mark else (0, 0)
    rows = text.split("\n")
    if row < len(rows) and rows[row][column : column + 1] == "\t":
        message = "expected spaces: YAML allows no tab in indentation"
    if context_mark and context_mark.line != row:
        context = getattr(error, "context", None) or "inside what"
        message += f" ({context} that starts in line {context_mark.line + line + 1})"
    return Fault(row + line + 1, column + 1, message)
