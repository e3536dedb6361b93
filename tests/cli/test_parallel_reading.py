"""A long YAML text is read by several processes, and nobody can tell from what comes out."""

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.objects import of_files
from dnsalias_operator.cli.reading import forked, yamlstream
from tests.cli.conftest import Invoke
from tools.reliability.figures import form

PARTS = (
    "a: 1\n",
    "- x\n- {b: [1, 2.5, null, yes]}\n",
    "kind: List\nitems:\n- {a: &x [1]}\n- *x\n",
    "text: |\n  ---- no marker\n  end\n",
    "a: b: c\n",  # cannot be read
    "a: 1\na: 2\n",
    "'no end\n",
    "b: *nowhere\n",
    "# a comment\n",
    "\n",
    'é: "\\u2028"\nn: 123456789012345678901234567890\n',
    "%YAML 1.1\n",
    "...\n",
)


@contextmanager
def processes(count: int, *, threads: int = 1, share: int = 1) -> Iterator[None]:
    """There are that many processors, and little is worth a process; pytest's plugins have threads of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yamlstream, "SHARE", share)
        patch.setattr(os, "sched_getaffinity", lambda _pid: set(range(count)))
        patch.setattr(threading, "active_count", lambda: threads)
        yield


@settings(deadline=None, max_examples=40)
@given(
    parts=st.lists(st.sampled_from((*PARTS, "---\n", "--- \n", "--- {c: 1}\n")), max_size=12), count=st.integers(2, 5)
)
def test_the_same_documents(parts: list[str], count: int) -> None:
    """Values, lines and faults are those of one process, in the same order."""
    text = "".join(parts)
    alone = [*yamlstream.documents(text)]
    with processes(count):
        assert [*yamlstream.documents(text)] == alone


def test_the_same_bytes_of_random_folders(tmp_path: Path, invoke: Invoke) -> None:
    """What `lint` prints of a folder, with lines and faults in it; a thousand folders in the long form."""
    choose = random.Random(1)  # noqa: S311 (not a secret)
    manifests = [yaml.safe_dump(raw, sort_keys=False) for raw in of_files(60)]
    for number in range(1000 if form() == "long" else 12):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in ("a.yaml", "b.yml", "c.json")[: choose.randint(1, 3)]:
            documents = choose.choices((*manifests, *PARTS), k=choose.randint(1, 12))
            (folder / name).write_text("---\n".join(documents), encoding="utf-8")
        outputs: list[Any] = []
        for count in (1, 3):
            with processes(count):
                done = invoke("lint", "-f", str(folder))
            outputs.append((done.exit_code, done.stdout_bytes, done.stderr_bytes))
        assert outputs[0] == outputs[1], folder


def _never(*_: object) -> int:
    raise AssertionError("a process was started")


def test_no_process_is_started_for_little_on_one_processor_or_beside_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to gain, or a lock that is never given back to lose."""
    monkeypatch.setattr(os, "fork", _never)
    text = "a: 1\n---\n" * 10
    for where in (processes(2, share=yamlstream.SHARE), processes(1), processes(2, threads=2)):
        with where:
            assert len([*yamlstream.documents(text)]) == 11
    with processes(2), pytest.raises(AssertionError):
        list(yamlstream.documents(text))


def test_a_long_text_is_read_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """From two shares on, where there are processors: one here, one in a process."""
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        started.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    document = "a: " + "x" * 1000 + "\n---\n"
    with processes(3, share=yamlstream.SHARE):
        assert len([*yamlstream.documents(document * (2 * yamlstream.SHARE // 1000))]) == 2001
    assert len(started) == 1


def test_a_share_whose_process_is_lost_is_read_here() -> None:
    """The result is the same, only later."""
    here = os.getpid()

    def work(share: int) -> list[int]:
        if os.getpid() != here:
            os._exit(9)
        return [share, share]

    assert [*forked.spread(work, [1, 2, 3])] == [[1, 1], [2, 2], [3, 3]]


def test_who_stops_early_leaves_no_process_behind() -> None:
    """Not even one that waits for somebody to take its result."""
    before = _children()
    results = forked.spread(lambda share: [share] * 1_000_000, [1, 2, 3])
    next(results)
    assert _children() - before
    results.close()  # type: ignore[attr-defined]
    assert _children() - before == set()


def _children() -> set[str]:
    """The processes that this thread has started, other tests' among them."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii").split())
