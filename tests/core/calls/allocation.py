"""istiod's own addresses: it writes one into the status of every entry that may have one, as soon as it sees it.

Source: pilot/pkg/networking/serviceentry/ip_autoallocation.go; on by default since 1.25.
"""

from dnsalias_operator.model.names import AUTO_ALLOCATE_LABEL
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

RANGE = "240.240"


def allocated_to(entry: ServiceEntry) -> tuple[str, ...]:
    """The addresses that istiod has allocated to the entry, where they count."""
    return tuple(a for each in entry.auto_addresses.values() for a in each) if _may_have(entry) else ()


def allocated(world: Snapshot) -> Snapshot:
    """The world once istiod has seen it: the same entry has the same address in all worlds that hold its name."""
    seen = (_seen(o) if isinstance(o, ServiceEntry) else o for o in world.objects())
    return Snapshot(seen, namespaces_known=world.namespaces_known)


def _may_have(entry: ServiceEntry) -> bool:
    opted_out = entry.meta.labels.get(AUTO_ALLOCATE_LABEL, "").lower() == "false"
    wildcard = any(host.startswith("*") for host in entry.hosts)
    return not entry.addresses and entry.resolution != "NONE" and not wildcard and not opted_out


def _seen(entry: ServiceEntry) -> ServiceEntry:
    if not _may_have(entry) or entry.auto_addresses:
        return entry
    # 65,536 places for a few names: no two of a small world's meet, which `test_call_worlds` looks at.
    text = f"{entry.meta.namespace}/{entry.meta.name}"
    number = int.from_bytes(text.encode()) % 65_521
    value = f"{RANGE}.{number // 256}.{number % 256}"
    status = {"addresses": [{"host": host, "value": value} for host in entry.hosts]}
    return ServiceEntry.parse({**entry.raw, "status": status})
