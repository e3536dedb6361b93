"""What people read: a message names what is there, and says what to do."""

from copy import deepcopy
from typing import Any

import pytest

from dnsalias_operator.core.plan import decide_alias, lint
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.names import KIND, OWN_MANAGER, Key
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.one_alias import ALIAS, ENTRY, SERVICE
from tools import make

KEY = Key(KIND, "abc", "api")
CHANGED = "the entry was changed by"
MORE = "spec.hosts of the entry is api.hello, more.hello, and the alias has api.hello alone"


def told(code: str, *objects: dict[str, Any]) -> str:
    """The message of the only finding with that code."""
    (message,) = (
        f.message for f in lint(Snapshot(KINDS[o["kind"]].parse(o) for o in objects), make.rules()) if f.code == code
    )
    return message


@pytest.mark.parametrize(("addresses", "shown"), [(["10.96.0.1"], " (10.96.0.1 of Service abc/api)"), ([], "")])
def test_a_missing_address_is_told_with_the_services(addresses: list[str], shown: str) -> None:
    """Where a file gives the Service none, none is named."""
    service = deepcopy(SERVICE)
    del service["spec"]["clusterIP"]
    service["spec"]["clusterIPs"] = addresses
    assert told("DA002", service, ENTRY) == f"spec.addresses is not set{shown}"


def test_an_alias_says_where_the_entry_that_serves_it_is_seen() -> None:
    """It asks for every namespace, and somebody else's entry is seen in its own."""
    entry = deepcopy(ENTRY)
    ports = [{"name": "p", "number": 80, "protocol": "HTTP"}]
    pods = {"resolution": "STATIC", "workloadSelector": {"labels": {"app": "api"}}}
    entry["spec"] |= {"exportTo": ["."], "ports": ports, **pods}
    entry["metadata"]["creationTimestamp"] = "2026-01-01T00:01:00Z"
    alias = {**ALIAS, "spec": {**ALIAS["spec"], "ports": [80]}}
    decided = decide_alias(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, entry, alias)), KEY, make.rules())
    assert decided is not None
    ready = next(c for c in decided.conditions if c.type == "Ready")
    assert ready.message.endswith("makes api.hello work where its exportTo lets it be seen: .")


def test_an_address_of_our_own_is_not_stale() -> None:
    """Where a Sidecar streams, an alias of HTTP ports has one that is not the Service's; our manager wrote it."""
    alias = {**ALIAS, "spec": {**ALIAS["spec"], "ports": [80]}}
    egress = [{"port": {"number": 80, "protocol": "TCP"}, "hosts": ["*/*"]}]
    sidecar = make.sidecar("default", namespace="shop", egress=egress)
    world = Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, sidecar, alias))
    decided = decide_alias(world, KEY, make.rules())
    assert decided is not None
    made = deepcopy(dict(decided.changes[0].apply))
    owned: dict[str, Any] = {"f:spec": {"f:addresses": {}}}
    made["metadata"]["managedFields"] = [{"manager": OWN_MANAGER, "operation": "Apply", "fieldsV1": owned}]
    found = lint(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, sidecar, alias, made)), make.rules())
    assert [f.code for f in found] == []


def test_no_address_is_not_a_stale_one() -> None:
    """Where the resolution forbids addresses, none is missed."""
    entry = deepcopy(ENTRY)
    entry["metadata"]["annotations"] = {"dnsalias.io/service": "api"}
    entry["spec"] |= {"hosts": ["*.api.hello"], "resolution": "DYNAMIC_DNS"}
    found = lint(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, entry)), make.rules())
    assert "DA006" not in {f.code for f in found}


@pytest.mark.parametrize(
    ("port", "shown"), [("81", '"81" (a name, for its quotes; take them off)'), (82, "82"), ("web", "web")]
)
def test_a_port_that_is_none_of_the_services_is_told_as_it_is_written(port: str | int, shown: str) -> None:
    """A number in quotes looks like one that is there."""
    alias = {**ALIAS, "spec": {**ALIAS["spec"], "ports": [port]}}
    assert f"spec.ports names {shown}; TCP ports of Service abc/api: 80 (http), 81 (tcp)" in told(
        "DA014", SERVICE, alias
    )


def owners_of_hosts(*managers: str) -> list[dict[str, Any]]:
    """The managedFields of an entry of which each of these owns spec.hosts, and one more something else."""
    fields = [(manager, "f:hosts") for manager in managers] + [("kubectl-label", "f:exportTo")]
    return [
        {"manager": m, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {f: {}}}}
        for m, f in fields
    ]


@pytest.mark.parametrize(
    ("hosts", "managed", "told"),
    [
        (["old.hello"], owners_of_hosts(OWN_MANAGER), "the alias' host is api.hello now"),
        (["old.hello"], owners_of_hosts(OWN_MANAGER, "velero"), "the alias' host is api.hello now"),
        (
            ["evil.hello"],
            owners_of_hosts("kubectl-patch"),
            f"{CHANGED} kubectl-patch: spec.hosts of the entry is evil.hello, and the alias has api.hello",
        ),
        (
            ["api.hello", "more.hello"],
            owners_of_hosts("argocd", "kubectl-patch"),
            f"{CHANGED} argocd, kubectl-patch: {MORE}",
        ),
        (["old.hello"], None, "spec.hosts of the entry is old.hello, and the alias has api.hello"),
        (
            ["api.hello", "more.hello"],
            None,
            MORE,
        ),
    ],
)
def test_another_host_is_told_with_whose_doing_it_is(hosts: list[str], managed: Any, told: str) -> None:  # noqa: ANN401
    """The alias' where our manager owns spec.hosts, else that of who owns it; nobody's where a file does not say."""
    first = decide_alias(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, ALIAS)), KEY, make.rules())
    assert first is not None
    ours = deepcopy(dict(first.changes[0].apply))
    ours["spec"]["hosts"] = hosts
    if managed is not None:
        ours["metadata"]["managedFields"] = managed
    decided = decide_alias(Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, ALIAS, ours)), KEY, make.rules())
    assert decided is not None
    assert [c.reason for c in decided.changes] == ["HostChanged", "Generated"]
    assert decided.changes[0].message == f"{told}; a changed entry would keep the old one's place in the order"
