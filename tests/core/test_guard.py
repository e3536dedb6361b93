"""Who would lose an address: what the guard sees beyond one address of one Service, written plainly."""

import pytest

from dnsalias_operator.core.guard import takes_from
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from tests.core.listener_worlds import NEWER, OLDER, PORT, VIP, entry, service, world

VIP6 = "fd00::10"
DUAL = Mesh(dual_stack=True)
DUAL_BOTH = Mesh(dual_stack=True, istio_dual_stack=True)


@pytest.mark.parametrize("mesh", [DUAL, DUAL_BOTH])
def test_an_older_entry_takes_the_first_address_of_a_dual_stack_service(mesh: Mesh) -> None:
    """Dual-stack pods have the Service's listener at its first clusterIP, here the IPv6 one."""
    alias = entry(addresses=[VIP6], created=OLDER)
    taken = takes_from(world(service(ips=[VIP6, VIP], created=NEWER), alias), alias, mesh)
    assert taken is not None
    assert (taken.address, taken.port) == (VIP6, PORT)


def test_ipv4_pods_do_not_reach_the_ipv6_address() -> None:
    """They reach the Service at its IPv4 address, wherever that stands in the list."""
    alias = entry(addresses=[VIP6], created=OLDER)
    assert takes_from(world(service(ips=[VIP6, VIP], created=NEWER), alias), alias, Mesh()) is None


@pytest.mark.parametrize("mesh", [DUAL, DUAL_BOTH])
def test_an_alias_waits_for_its_age_at_the_first_address(mesh: Mesh) -> None:
    """An alias by DNS endpoint of a Service whose first clusterIP is IPv6 is made when it is younger for certain."""
    alias = DnsAlias.parse(
        {
            "metadata": {"name": "alias", "namespace": "abc"},
            "spec": {"host": "alias.hello", "serviceRef": {"name": "svc"}},
        }
    )
    (change,) = plan(world(service(ips=[VIP6, VIP], created=NEWER), alias), Rules(mesh=mesh)).changes
    assert change.not_before == NEWER + 2
