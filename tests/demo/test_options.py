"""`python -m tools.demo` says what it takes before it does anything."""

import pytest

from tools.demo.__main__ import main


def test_help_tells_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """--help ends at once, with the story in a line and what may be asked for."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "The incident on a real API server" in said
    assert "--keep" in said


def test_what_it_does_not_know_is_refused() -> None:
    """A misspelt option is bad usage, not a run of the whole demo."""
    with pytest.raises(SystemExit) as ended:
        main(["--kep"])
    assert ended.value.code == 2
