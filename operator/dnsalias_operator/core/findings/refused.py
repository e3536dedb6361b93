"""Entries that Istio refuses (`istio.validation`): by the fields at fault, each with its value and why."""

from collections.abc import Iterator, Sequence

from dnsalias_operator.core.findings import catalog
from dnsalias_operator.core.istio.validation import By, Refusal
from dnsalias_operator.core.outcome import Finding
from dnsalias_operator.model.serviceentry import ServiceEntry

MOST = 5
"""Most fields that one finding names."""
_THERE = (
    "; it was written while istiod's webhook did not answer: istiod uses it as it is, and every change of it is refused"
)


def refused_by_istio(entry: ServiceEntry, refusals: Sequence[Refusal]) -> Iterator[Finding]:
    """One finding for all that is refused of an entry; at its port where no other field is at fault."""
    if not refusals:
        return
    by = next((by for by in By if any(one.by is by for one in refusals)), By.ISTIOD)
    fields = "; ".join(map(str, refusals[:MOST])) + f"; and {len(refusals) - MOST} more" * (len(refusals) > MOST)
    there = _THERE if entry.meta.uid else ""
    yield catalog.REFUSED_BY_ISTIO.at(entry.key, f"{by}: {fields}{there}", port=_port(entry, refusals))


def _port(entry: ServiceEntry, refusals: Sequence[Refusal]) -> int | None:
    at = {index for index in range(len(entry.ports)) for one in refusals if _under(one.path, index)}
    only = len(at) == 1 and all(_under(one.path, next(iter(at))) for one in refusals)
    return entry.ports[next(iter(at))].number if only else None


def _under(path: str, index: int) -> bool:
    return path.startswith(f"spec.ports[{index}].")
