"""`-f PATH…`: files, folders and standard input into `Inputs`; if something cannot be read, the rest still is."""

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dnsalias_operator.cli import progress
from dnsalias_operator.cli.reading import jsonread, yamlstream
from dnsalias_operator.cli.reading.collector import Collector
from dnsalias_operator.cli.reading.ignored import Ignored
from dnsalias_operator.cli.reading.inputs import Inputs, Item
from dnsalias_operator.cli.reading.kustomize import NAMES as KUSTOMIZATIONS
from dnsalias_operator.cli.reading.kustomize import Kustomization
from dnsalias_operator.cli.reading.problems import STDIN, Document, Fault, Problem, Skipped
from dnsalias_operator.cli.reading.walk import File, Walk, unreadable
from dnsalias_operator.model.meta import mapping

_MARK = "apiVersion"
"""A text without it has no Kubernetes object."""


def read_files(
    paths: Sequence[str],
    namespace: str,
    left_out: Iterable[str] = (),
    *,
    exclude: Iterable[str] = (),
    overlays: Sequence[str] = (),
) -> Inputs:
    """Read every object of ``paths`` in order; ``-`` is standard input, a folder is searched for manifests.

    ``namespace`` is used for namespaced objects that have none. A file that several paths lead to is read once. The
    files ``left_out`` are not read even if they are in a folder: they have another purpose. ``exclude`` are patterns
    as in .gitignore. ``overlays`` are further paths; the result has the files of each.

    Raises:
        PatternError: one of the patterns is not valid.
    """
    walk = Walk(Ignored.excluding(exclude))
    found, above = [*walk.files(paths)], {path: [*walk.files([path])] for path in overlays}
    files = [*found, *(file for each in above.values() for file in each)]
    gathered = _Gathered(namespace, problems=walk.problems, skipped=walk.skipped)
    named = {file.real for file in files if file.named}
    with _nothing_to_collect():
        gathered.read(files, {os.path.realpath(path) for path in left_out} - named, named)
    if not (gathered.items or gathered.problems or gathered.unprinted):
        everything = " ".join((*paths, *overlays))
        gathered.problems.append(Problem(everything, 0, 0, "no Kubernetes object found", bool(named)))
    return Inputs(
        items=tuple(gathered.items),
        problems=tuple(gathered.problems),
        skipped=tuple(gathered.skipped),
        unprinted=tuple(gathered.unprinted),
        kustomizations=tuple(gathered.kustomizations),
        roots=tuple(os.path.realpath(path) for path in (*paths, *overlays)),
        overlays={path: frozenset(file.real for file in each) for path, each in above.items()},
    )


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """No garbage collection: all that is read stays until the end, and searching it again and again costs a sixth."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@dataclass(slots=True)
class _Gathered:
    namespace: str
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unprinted: list[Problem] = field(default_factory=list)
    kustomizations: list[Kustomization] = field(default_factory=list)

    def read(self, files: Iterable[File], left_out: set[str], named: set[str]) -> None:
        """Read each file once; it counts as named if any path names it."""
        once: dict[str, File] = {}
        for file in files:
            if file.real not in left_out:
                once.setdefault(file.real, File(file.path, file.real, named=file.real in named))
        paths = {file.path: file for file in once.values()}
        for path in progress.files([*paths]):
            self._read(paths[path])

    def _read(self, file: File) -> None:
        shown = STDIN if file.path == "-" else file.path
        try:
            data = _bytes(file.path)
        except OSError as error:
            self.problems.append(Problem(shown, 0, 0, error.strerror or str(error), file.named))
            return
        text = _decode(data)
        source = text.source if isinstance(text, Fault) else text
        is_kustomization = Path(file.path).name in KUSTOMIZATIONS
        if not file.named and not is_kustomization and _MARK not in source:
            self.skipped.append(Skipped.NO_OBJECT)
            return
        documents = [text] if isinstance(text, Fault) else [*_documents(text, is_json=file.path.endswith(".json"))]
        if is_kustomization and (found := _kustomization(documents, file)):
            self.kustomizations.append(found)
            return
        collector = Collector(File(shown, file.real, file.named), self.namespace, source)
        collector.add(documents)
        self.items += collector.items
        self.problems += collector.problems
        self.skipped += collector.skipped
        self.unprinted += collector.unprinted


def _kustomization(documents: Iterable[Document | Fault], file: File) -> Kustomization | None:
    """The kustomization of its folder, even if the file is empty or broken; None if it was named and is broken."""
    read = [*documents]
    if file.named and any(isinstance(document, Fault) for document in read):
        return None
    values = (document.value for document in read if isinstance(document, Document))
    return Kustomization.parse(mapping(next(values, None)), file.path)


def _bytes(path: str) -> bytes:
    if path == "-":
        if sys.stdin is None:
            raise OSError(0, "it is closed")
        return sys.stdin.buffer.read()
    if why := unreadable(path):
        raise OSError(0, why)
    return Path(path).read_bytes()


def _decode(data: bytes) -> str | Fault:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}"
        return Fault(before.count(b"\n") + 1, column, message, data.decode("latin-1"))
    return text.replace("\r\n", "\n")


def _documents(text: str, *, is_json: bool) -> Iterable[Document | Fault]:
    if not is_json and not text.lstrip().startswith("{"):
        return yamlstream.documents(text)
    as_json = list(jsonread.documents(text))
    if is_json or all(isinstance(document, Document) for document in as_json):
        return as_json
    # YAML's flow style looks like JSON at first, and other documents may follow.
    return yamlstream.documents(text)
