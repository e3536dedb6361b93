"""`dnsalias revert` where not all may be read: what would come back is not known then."""

import pytest

from dnsalias_operator.cli.commands import revert
from dnsalias_operator.cli.reading.inputs import Inputs
from dnsalias_operator.cli.reading.live import Live
from tests.cli.conftest import Invoke


@pytest.mark.parametrize(
    ("forbidden", "arguments", "code", "told"),
    [
        ("sidecars.networking.istio.io", ["--yes"], 0, "Nothing was written: without permission to list Sidecars"),
        ("virtualservices.networking.istio.io", [], 0, "no permission to list virtualservices"),
    ],
)
def test_what_is_not_seen_is_said(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, forbidden: str, arguments: list[str], code: int, told: str
) -> None:
    """Sidecars decide what is critical: without them nothing is written, unless it is forced."""
    monkeypatch.setattr(revert, "read_cluster", lambda *_: Live(Inputs((), ()), (), (forbidden,)))
    result = invoke("revert", "--all", *arguments)
    assert told in result.stderr
    assert result.exit_code == code
