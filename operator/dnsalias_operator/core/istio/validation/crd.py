"""What the API server refuses by Istio's CRD, and `istioctl validate` does not: it does not look at the CRD.

Since 1.24 most of istiod's rules are in the CRD too; here are only those that the CRD has alone.
"""

from collections.abc import Callable, Iterator

from dnsalias_operator.core.istio.validation.fields import Written
from dnsalias_operator.core.istio.validation.refusal import By, Refusal

Found = Iterator[Refusal]
_MOST_HOSTS = _MOST_ADDRESSES = _MOST_PORTS = 256
_LONGEST_SELECTOR = 63


def set_but_empty(entry: Written) -> Found:
    """Endpoints that are set, if to nothing, beside a workloadSelector or resolution NONE.

    Source: the x-kubernetes-validations of serviceentries in crd-all.gen.yaml at 1.24 and later.
    """
    empty = "endpoints" in entry.spec and not entry.endpoints
    if not empty or not entry.mesh.since(1, 24):
        return
    if entry.selector is not None:
        yield Refusal("spec.endpoints", "set (to nothing) together with spec.workloadSelector", By.API_SERVER)
    if entry.resolution == "NONE":
        yield Refusal("spec.endpoints", "set (to nothing) with resolution NONE", By.API_SERVER)


def target_port(entry: Written) -> Found:
    """A targetPort of 0, which istiod takes for not set. Source: as in `set_but_empty`."""
    for index, port in enumerate(entry.ports):
        written = _element(entry.spec.get("ports"), index)
        if written.get("targetPort") == 0 and entry.mesh.since(1, 24):
            yield Refusal(f"{port.path}.targetPort", "0 is not in the range 1 to 65535", By.API_SERVER)


def too_many(entry: Written) -> Found:
    """More than 256 hosts, addresses or ports. Source: maxItems in crd-all.gen.yaml at 1.24 and later."""
    counted = {"hosts": entry.hosts, "addresses": entry.addresses, "ports": entry.ports}
    for name, found in counted.items() if entry.mesh.since(1, 24) else ():
        if len(found) > _MOST_HOSTS:
            yield Refusal(f"spec.{name}", f"{len(found)} of them; {_MOST_HOSTS} at most", By.API_SERVER)


def _element(value: object, index: int) -> dict[str, object]:
    found = value[index] if isinstance(value, list) and index < len(value) else None
    return found if isinstance(found, dict) else {}


CRD_RULES: tuple[Callable[[Written], Found], ...] = (set_but_empty, target_port, too_many)
"""The rules of the CRD alone."""
