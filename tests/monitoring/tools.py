"""Prometheus and promtool, from the distribution's package `prometheus`."""

import shutil
from pathlib import Path

import pytest

from tests.controlplane.fixtures import in_ci

# Debian puts what is for administrators there, which is not on everybody's PATH.
ELSEWHERE = "/usr/local/bin:/usr/bin:/usr/sbin"


def tool(name: str) -> Path:
    """The path of a program; skips where there is none, which CI does not accept."""
    found = shutil.which(name) or shutil.which(name, path=ELSEWHERE)
    if found is None:
        reason = f"{name} is not there (on Debian and Ubuntu: apt install prometheus; nothing needs to run)"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found)
