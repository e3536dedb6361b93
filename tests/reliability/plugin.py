"""The pytest plugin: `--torture` chooses the long forms, `--seed` repeats a choice; figures are printed at the end."""

import os
import random
import time
from dataclasses import dataclass

import pytest

from tools.reliability.figures import LONG, form, kept, record

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """How the long forms are spread over processes; pytest-xdist asks, where it is there at all."""
    if not config.getoption("--torture"):
        return None
    from tests.reliability.spread import SoakBeside  # noqa: PLC0415 (without xdist there is nothing to import)

    return SoakBeside(config, log)


@dataclass(frozen=True)
class Run:
    """This run: ``long`` where everything is to be done; else a part of it that follows from ``seed``."""

    long: bool
    seed: int

    def random(self) -> random.Random:
        """What chooses, the same for the same seed."""
        return random.Random(self.seed)  # noqa: S311 (not a secret)

    def record_seed(self, of: str) -> None:
        """Tell with which seed the choice of this run can be made again."""
        record("Seed", str(self.seed), "", of)


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """Form and seed of this run; the seed is new each time unless `--seed` says so."""
    given = request.config.getoption("--seed")
    seed = int(time.time()) % 1_000_000 if given is None else int(given)
    return Run(bool(request.config.getoption("--torture")), seed)


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
