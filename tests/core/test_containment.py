"""Addresses that contain a catch-all."""

import ipaddress

from dnsalias_operator.core.entries.containment import containment_address
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.listener_worlds import entry, service

SMALL = Rules(containment_range="240.241.0.0/28")


def _named(name: str, *addresses: str) -> ServiceEntry:
    return entry(name, addresses=addresses)


def test_the_same_entry_gets_the_same_address() -> None:
    """The choice depends on the entry alone, so that two runs over the same world write the same."""
    one = _named("one")
    assert containment_address(Snapshot([one]), one, Rules()) == containment_address(Snapshot([one]), one, Rules())


def test_an_address_that_is_written_and_free_is_kept() -> None:
    """What stands in the entry is kept, whatever the hash says: it may be in use by clients."""
    one = _named("one", "240.241.7.7")
    assert containment_address(Snapshot([one]), one, Rules()) == "240.241.7.7"


def test_used_addresses_are_passed_over() -> None:
    """Every address that a Service or another entry has is probed past, until one is free."""
    usable = [str(ip) for ip in ipaddress.ip_network(SMALL.containment_range).hosts()]
    one = _named("one")
    for free in usable:
        taken = [a for a in usable if a != free]
        others = [_named(f"e{i}", a) for i, a in enumerate(taken[::2])]
        services = [service(f"s{i}", ips=(a,)) for i, a in enumerate(taken[1::2])]
        assert containment_address(Snapshot([one, *others, *services]), one, SMALL) == free


def test_a_full_range_gives_nothing() -> None:
    """Where no address is left the answer is the empty string, and the entry stays unfixed."""
    usable = [str(ip) for ip in ipaddress.ip_network(SMALL.containment_range).hosts()]
    one = _named("one")
    assert not containment_address(Snapshot([one, *(_named(f"e{a}", a) for a in usable)]), one, SMALL)


def test_an_address_that_somebody_else_took_is_given_up() -> None:
    """Two entries with one containment address: each of them moves off it when asked."""
    one, two = _named("one", "240.241.7.7"), _named("two", "240.241.7.7")
    assert containment_address(Snapshot([one, two]), one, Rules()) != "240.241.7.7"
