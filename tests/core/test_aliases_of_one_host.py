"""Aliases of one host: who has it, and what those who do not have it change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsalias_operator.core.hosts.holders import has_host
from dnsalias_operator.core.istio.visibility import Scope
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import Key
from dnsalias_operator.model.snapshot import Snapshot
from tools import make

SERVICE = make.service(
    "pay", ports=[make.port(9001)], ip="10.96.0.1", namespace="abc", meta={"creationTimestamp": "2026-01-01T00:00:00Z"}
)
ENTRY = make.entry(
    "theirs",
    "pay.hello",
    ports=[make.entry_port(9001)],
    namespace="abc",
    meta={"creationTimestamp": "2026-01-01T00:00:09Z"},
)


def alias(name: str, second: int, export_to: list[str], service: str = "pay", **meta: str) -> dict[str, Any]:
    """An alias of pay.hello in namespace abc."""
    meta |= {"creationTimestamp": f"2026-01-01T00:00:{second:02}Z"}
    return make.alias(name, "pay.hello", service, namespace="abc", meta=meta, exportTo=export_to)


def snapshot(*raws: dict[str, Any]) -> Snapshot:
    """The world of these objects."""
    return Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)


@pytest.mark.parametrize("deleted", ["first", "second"])
def test_an_alias_that_is_being_deleted_says_nothing_of_an_entry(deleted: str) -> None:
    """While a finalizer holds an alias back, the entry stands for the Service of the one that stays."""
    going = {"deletionTimestamp": "2026-01-01T00:01:00Z"}
    services = {"first": "pay", "second": "pay"} | {deleted: "gone"}
    world = snapshot(
        SERVICE,
        ENTRY,
        *(alias(n, i, ["*"], s, **(going if n == deleted else {})) for i, (n, s) in enumerate(services.items())),
    )
    decided = plan(world, make.rules())
    assert [(e.reason, e.service) for e in decided.entries] == [("", Key("Service", "abc", "pay"))]
    assert [a.conditions[-1].status for a in decided.aliases] == ["True"]


private = st.lists(st.sampled_from([".", "n1", "n2", "n3"]), min_size=1, max_size=3, unique=True)


@given(scopes=st.lists(st.one_of(st.just(["*"]), st.just(["~"]), private), max_size=7))
def test_holders_share_no_namespace_and_the_rest_is_in_their_way(scopes: list[list[str]]) -> None:
    """Who has the host has no namespace in common with an older holder; who has it not, with one at least."""
    world = snapshot(*(alias(f"a{n}", n, scope) for n, scope in enumerate(scopes)))
    holders: list[Scope] = []
    for number, export_to in enumerate(scopes):
        mine = Scope.of(export_to, "abc", ())
        found = world.alias("abc", f"a{number}")
        assert found is not None
        free = not any(mine.overlaps(other) for other in holders)
        assert has_host(world, make.rules(), found) is free
        holders += [mine] if free else []
