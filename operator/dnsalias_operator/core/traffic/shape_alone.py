"""What of an object decides on which ports it is a catch-all by itself (`catch_all.catches_all`).

In a mesh most entries are like many others but for names and addresses; of those with one shape one has to be asked.
"""

from collections.abc import Hashable

from dnsalias_operator.core.istio.listeners.addresses import is_unspecified
from dnsalias_operator.core.istio.listeners.services import Upstream, export_to, upstreams
from dnsalias_operator.model.lookups import Claimant
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.meta import is_ip
from dnsalias_operator.model.serviceentry import ServiceEntry


def shape_alone(obj: Claimant, mesh: Mesh) -> Hashable | None:
    """Equal for objects that, each alone in that mesh, take any connection on the same ports; None where it is unknown.

    Several services of one object share listeners, and endpoints may be bound in place of an address: of these nothing
    is told.
    """
    services = upstreams(obj, mesh)
    if len(services) != 1 or services[0].extra or (isinstance(obj, ServiceEntry) and _binds_endpoints(obj)):
        return None
    (one,) = services
    seen_by = export_to(obj, mesh)
    own = obj.meta.namespace in seen_by
    return one.kubernetes, _host(one), _address(one), one.resolution, one.selects, one.ports, seen_by, own


def _binds_endpoints(entry: ServiceEntry) -> bool:
    return entry.resolution == "NONE" and bool(entry.endpoints)


def _host(one: Upstream) -> str:
    """The hostname where it is a wildcard: a sidecar may refuse that."""
    return one.hostname if one.wildcarded else ""


def _address(one: Upstream) -> str:
    """The address where it is no IP of its own; else only its family."""
    if not is_ip(one.address) or is_unspecified(one.address):
        return one.address
    return "IPv6" if ":" in one.address else "IPv4"
