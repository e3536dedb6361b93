"""Progress of long steps."""

import io
import threading

import pytest

from tools.controlplane.progress import step


class Log(io.StringIO):
    """A stream that is no terminal, and tells when it has got a heartbeat."""

    def __init__(self) -> None:
        super().__init__()
        self.beaten = threading.Event()

    def write(self, text: str) -> int:
        """Keep the text, and note a heartbeat by its ellipsis."""
        written = super().write(text)
        if "…" in text:
            self.beaten.set()
        return written


def test_a_step_announces_itself_beats_and_ends() -> None:
    """Without a terminal, a long step shows its expectation, lines while it lasts, and its end."""
    log = Log()
    with step("building etcd", "about 1 min", stream=log, heartbeat=0.001):
        assert log.beaten.wait(30)
    lines = log.getvalue().splitlines()
    assert lines[0] == "building etcd (about 1 min)"
    assert lines[1].startswith("building etcd … ")
    assert lines[-1].startswith("building etcd: done in ")


def test_a_failing_step_says_so() -> None:
    """A step whose block raises ends with "failed", and the error goes on."""
    log = Log()
    with pytest.raises(ZeroDivisionError), step("dividing", stream=log):
        raise ZeroDivisionError
    assert log.getvalue().splitlines()[-1].startswith("dividing: failed in ")
