"""Every annotation of `dnsalias.io`: on which kind it is read, and what it may say."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnsalias_operator.model.names import (
    GROUP,
    RECREATED_FOR_ANNOTATION,
    REPAIR_ANNOTATION,
    SERVICE_ANNOTATION,
    SERVICE_UID_ANNOTATION,
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of a ServiceEntry.

    ``words`` are the values that mean something, in any case; () for any text. ``expected`` says in words what it may
    be. ``ours``: the operator writes it on its own entries, and nobody else does.
    """

    key: str
    expected: str
    words: tuple[str, ...] = ()
    ours: bool = False

    def means(self, value: str) -> bool:
        """Whether the value means something."""
        return value.lower() in self.words if self.words else bool(value.strip())


ANNOTATIONS: Mapping[str, Annotation] = {
    one.key: one
    for one in (
        Annotation(REPAIR_ANNOTATION, '"true" or "false"', ("true", "false")),
        Annotation(SERVICE_ANNOTATION, "the name of a Service, or NAMESPACE/NAME"),
        Annotation(SERVICE_UID_ANNOTATION, "the uid of a Service", ours=True),
        Annotation(RECREATED_FOR_ANNOTATION, "the uid of a Service", ours=True),
    )
}
"""All of them, by key. The operator reads them on ServiceEntries and nowhere else."""
WRITTEN_BY_PEOPLE = tuple(one.key for one in ANNOTATIONS.values() if not one.ours)
READ_ON = "ServiceEntry"


@dataclass(frozen=True, slots=True)
class Meaningless:
    """An annotation that nobody reads, or a value that means nothing; ``why`` names what is allowed."""

    key: str
    value: str
    why: str

    def __str__(self) -> str:
        return f'annotation {self.key}: "{self.value}" means nothing: {self.why}'


def meaningless(kind: str, annotations: Mapping[str, str]) -> Iterator[Meaningless]:
    """Those of an object that mean nothing, in their order."""
    for key, value in annotations.items():
        if why := _fault(kind, key, value):
            yield Meaningless(key, value, why)


def _fault(kind: str, key: str, value: str) -> str:
    known = ANNOTATIONS.get(key)
    if known is None:
        return _unknown(key) if _of_ours(key) else ""
    if kind != READ_ON:
        return f"it is read on a {READ_ON}, and this is a {kind}"
    return "" if known.means(value) else f"expected {known.expected}"


def _of_ours(key: str) -> bool:
    """Whether it is under our group, or under a name that was meant to be it."""
    prefix, slash, _ = key.partition("/")
    return bool(slash) and (prefix == GROUP or GROUP.partition(".")[0] in prefix.replace("-", "").lower())


def _unknown(key: str) -> str:
    name = key.rpartition("/")[2].lower()
    names = {one.rpartition("/")[2]: one for one in WRITTEN_BY_PEOPLE}
    near = difflib.get_close_matches(name, names, 1)
    meant = f"did you mean {names[near[0]]} ({ANNOTATIONS[names[near[0]]].expected})? " if near else ""
    return f"no such annotation; {meant}{' and '.join(WRITTEN_BY_PEOPLE)} are read"
