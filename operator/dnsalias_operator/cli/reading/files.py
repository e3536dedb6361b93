"""`-f PATH…`: files, folders and standard input into `Inputs`; if something cannot be read, the rest still is."""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from dnsalias_operator.cli import progress
from dnsalias_operator.cli.reading import jsonread, yamlread
from dnsalias_operator.cli.reading.inputs import Collector, Inputs
from dnsalias_operator.cli.reading.problems import Document, Fault, Place, Problem

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "<stdin>"


def read_files(paths: Sequence[str], namespace: str, left_out: Iterable[str] = ()) -> Inputs:
    """Read every object of ``paths`` in order; ``-`` is standard input, a folder is searched for `SUFFIXES`.

    ``namespace`` is used for namespaced objects that have none. A file that several paths lead to is read once. The
    files ``left_out`` are not read even if they are in a folder: they have another purpose.
    """
    collector = Collector(namespace)
    with _nothing_to_collect():
        _read_all(paths, collector, {os.path.realpath(path) for path in left_out} - {*map(os.path.realpath, paths)})
    if not collector.items and not collector.problems:
        collector.problems.append(Problem(" ".join(paths), 0, 0, "no Kubernetes object found"))
    return Inputs(tuple(collector.items), tuple(collector.problems))


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """No garbage collection: all that is read stays until the end, and searching it again and again costs a sixth."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _read_all(paths: Sequence[str], collector: Collector, left_out: AbstractSet[str]) -> None:
    done = {*left_out}
    for path in progress.files(list(_files(paths, collector.problems))):
        real = path if path == "-" else os.path.realpath(path)
        if real not in done:
            done.add(real)
            _read(path, collector)


def _files(paths: Iterable[str], problems: list[Problem]) -> Iterator[str]:
    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), 0, 0, error.strerror or str(error)))

    for path in paths:
        if path == "-" or not Path(path).is_dir():
            yield path
            continue
        for folder, below, names in os.walk(path, onerror=unreadable):
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield from (
                str(Path(folder, name))
                for name in sorted(names)
                if name.endswith(SUFFIXES) and not name.startswith(".")
            )


def _read(path: str, collector: Collector) -> None:
    file = STDIN if path == "-" else path
    if path == "-" and sys.stdin is None:
        collector.problems.append(Problem(file, 0, 0, "it is closed"))
        return
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        collector.problems.append(Problem(file, 0, 0, error.strerror or str(error)))
        return
    text = _decode(data)
    documents = [text] if isinstance(text, Fault) else _documents(text, is_json=path.endswith(".json"))
    for document in documents:
        if isinstance(document, Document):
            collector.add(document.value, Place(file, document.line), document.item_lines)
        else:
            collector.problems.append(Problem(file, document.line, document.column, document.message))


def _decode(data: bytes) -> str | Fault:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        return Fault(before.count(b"\n") + 1, column, f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}")
    return text.replace("\r\n", "\n")


def _documents(text: str, *, is_json: bool) -> Iterable[Document | Fault]:
    if not is_json and not text.lstrip().startswith("{"):
        return yamlread.documents(text)
    as_json = list(jsonread.documents(text))
    if is_json or all(isinstance(document, Document) for document in as_json):
        return as_json
    # YAML's flow style looks like JSON at first, and other documents may follow.
    return yamlread.documents(text)
