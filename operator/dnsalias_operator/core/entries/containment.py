"""An address of its own for a catch-all that cannot be fixed: nobody routes to it, so it moves nothing.

Source: docs/istio.md, "Traffic under mTLS": with such an address the Service, the alias and unrelated traffic all work.
"""

import hashlib
import ipaddress

from dnsalias_operator.core.entries.ownership import in_range
from dnsalias_operator.core.istio.listeners import entries_binding
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot

PROBES = 4096


def containment_address(world: Snapshot, entry: ServiceEntry, rules: Rules) -> str:
    """The entry's own address, or "" where the range has none left within `PROBES` tries.

    One that is already written in the entry and used by nobody else is kept. Else the hash of the entry's uid (in
    files: of its name) picks a place in the range, and every address that some Service or entry uses is passed over.
    """
    for address in entry.addresses:
        if in_range(address, rules) and _free(world, address, entry):
            return address
    network = ipaddress.IPv4Network(rules.containment_range)
    identity = entry.meta.uid or f"{entry.meta.namespace}/{entry.meta.name}"
    usable = network.num_addresses - 2
    start = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") % usable
    for step in range(min(PROBES, usable)):
        address = str(network.network_address + 1 + (start + step) % usable)
        if _free(world, address, entry):
            return address
    return ""


def _free(world: Snapshot, address: str, entry: ServiceEntry) -> bool:
    return not world.services_at(address) and all(e.key == entry.key for e in entries_binding(world, address))
