"""The pytest plugin: `--torture` chooses the long forms, `--seed` repeats a choice; figures are printed at the end."""

import os
import time

import pytest

from tests.reliability.figures import LONG, form, kept

STARTED = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the reliability tests."""
    group = parser.getgroup("reliability")
    group.addoption("--torture", action="store_true", help="the long forms: every scenario, every write, every fault")
    group.addoption("--seed", type=int, help="of what the reliability tests choose at random; printed by each run")


def pytest_configure(config: pytest.Config) -> None:
    """Tell the form of the run to everything that it starts."""
    config.stash[STARTED] = time.time()
    if config.getoption("--torture"):
        os.environ[LONG] = "1"
    else:
        os.environ.pop(LONG, None)


@pytest.fixture(scope="session")
def torture(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long form."""
    return bool(request.config.getoption("--torture"))


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What a test's random choices follow from: new in every run unless `--seed` says so. Tests print it."""
    given = request.config.getoption("--seed")
    return int(time.time()) % 1_000_000 if given is None else int(given)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what this run measured."""
    figures = list(kept(form(), since=config.stash[STARTED]))
    if not figures:
        return
    terminalreporter.section("reliability")
    for of in dict.fromkeys(figure.of for figure in figures):
        terminalreporter.line(of)
        for figure in figures:
            if figure.of == of:
                terminalreporter.line(f"  {figure}")
