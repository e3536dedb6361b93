"""Drift, each kind reverted by a running operator on the real API server, under its own ServiceAccount."""

import pytest

from tests.cluster.conftest import Objects
from tools.controlplane.waiting import eventually
from tools.running.operator_process import Operator

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("operator")]


def test_an_alias_becomes_an_entry_and_says_so(objects: Objects) -> None:
    """A DnsAlias gets its ServiceEntry with the clusterIP, an owner, a status through the subresource, and an Event."""
    cluster_ip = objects.service("web", 443)["spec"]["clusterIP"]
    uid = objects.alias("web", "web.hello", "web")["metadata"]["uid"]
    objects.becomes_ready("web")
    made = objects.get("serviceentries", "web")
    assert made["spec"]["addresses"] == [cluster_ip]
    assert made["spec"]["hosts"] == ["web.hello"]
    assert [(o["uid"], o.get("controller")) for o in made["metadata"]["ownerReferences"]] == [(uid, True)]
    alias = objects.get("dnsaliases", "web")
    assert alias["status"]["addresses"] == [cluster_ip]
    assert alias["status"]["serviceEntry"] == {"name": "web", "mode": "Generated"}
    assert alias["status"]["observedGeneration"] == alias["metadata"]["generation"]
    assert {m["subresource"] for m in alias["metadata"]["managedFields"] if m["manager"] == "dnsalias-operator"} == {
        "status"
    }
    eventually(lambda: ("DnsAlias", "web", "Programmed") in objects.events(), "the Event")


def test_our_entry_edited_is_healed(operator: Operator, objects: Objects) -> None:
    """Fields of ours that somebody changes or adds are set right; labels and annotations of others stay."""
    cluster_ip = objects.service("web", 443)["spec"]["clusterIP"]
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    before = objects.spec("web")
    edit = {"metadata": {"annotations": {"note": "mine"}}, "spec": {"addresses": ["192.0.2.1"], "exportTo": ["."]}}
    objects.patch("serviceentries", "web", edit)
    eventually(lambda: objects.spec("web") == before, "the spec is as it was")
    assert objects.spec("web")["addresses"] == [cluster_ip]
    assert objects.get("serviceentries", "web")["metadata"]["annotations"]["note"] == "mine"
    eventually(
        lambda: operator.metric('dnsalias_drift_corrections_total{field="spec.addresses",kind="ServiceEntry"}') >= 1
    )


def test_a_field_added_to_our_entry_is_removed(objects: Objects) -> None:
    """What a server-side apply would leave in our spec goes too: it may be what breaks the mesh."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    before = objects.spec("web")
    objects.patch("serviceentries", "web", {"spec": {"subjectAltNames": ["spiffe://evil"]}})
    eventually(lambda: objects.spec("web") == before, "the added field is gone")


def test_our_entry_deleted_is_made_again(objects: Objects) -> None:
    """A deleted entry of ours comes back, as a new object."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    old = objects.get("serviceentries", "web")["metadata"]["uid"]
    objects.delete("serviceentries", "web")
    eventually(lambda: objects.get("serviceentries", "web").get("metadata", {}).get("uid", old) != old)


def test_a_foreign_entry_is_repaired_and_its_other_fields_stay(operator: Operator, objects: Objects) -> None:
    """An entry without addresses and endpoints gets both by our repair manager; nothing else of it changes."""
    cluster_ip = objects.service("traefik", 443)["spec"]["clusterIP"]
    before = objects.foreign("traefik", "traefik.cutom-name")
    eventually(lambda: objects.spec("traefik").get("addresses"), "the addresses")
    after = objects.get("serviceentries", "traefik")
    added = {
        "addresses": [cluster_ip],
        "endpoints": [{"address": f"traefik.{objects.namespace}.svc.cluster.local"}],
    }
    assert after["spec"] == {**before["spec"], **added}
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    owned = [m["fieldsV1"] for m in after["metadata"]["managedFields"] if m["manager"] == "dnsalias-repair"]
    assert owned == [{"f:spec": {"f:addresses": {}, "f:endpoints": {}}}]
    (line,) = operator.said(kind="ServiceEntry", namespace=objects.namespace, name="traefik", written="repair")
    assert line["changed"] == ["spec.addresses", "spec.endpoints"]
    eventually(lambda: [e for e in objects.events() if e[:2] == ("ServiceEntry", "traefik")], "the Event")


def test_repaired_fields_removed_are_put_back(objects: Objects) -> None:
    """The owner's next write without our fields does not win."""
    objects.service("traefik", 443)
    objects.foreign("traefik", "traefik.cutom-name")
    addresses = eventually(lambda: objects.spec("traefik").get("addresses"), "the addresses")
    objects.patch("serviceentries", "traefik", {"spec": {"addresses": None}})
    eventually(lambda: objects.spec("traefik").get("addresses") == addresses, "the addresses again")


def test_an_opted_out_entry_gets_its_own_back(objects: Objects) -> None:
    """The annotation dnsalias.io/repair: "false" withdraws what we patched in and nothing else."""
    objects.service("traefik", 443)
    before = objects.foreign("traefik", "traefik.cutom-name")["spec"]
    eventually(lambda: objects.spec("traefik").get("addresses"), "the addresses")
    objects.patch("serviceentries", "traefik", {"metadata": {"annotations": {"dnsalias.io/repair": "false"}}})
    eventually(lambda: objects.spec("traefik") == before, "the entry as its owner wrote it")


def test_the_alias_follows_its_service(objects: Objects) -> None:
    """Ports and selector of the Service change the entry; the Service's end ends it."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    ports = [{"name": "tcp-443", "port": 443}, {"name": "tcp-8443", "port": 8443}]
    objects.patch("services", "web", {"spec": {"ports": ports, "selector": {"app": "other"}}})
    eventually(lambda: [p["number"] for p in objects.spec("web").get("ports", [])] == [443, 8443], "both ports")
    eventually(lambda: objects.spec("web").get("workloadSelector") == {"labels": {"app": "other"}}, "the selector")
    objects.delete("services", "web")
    eventually(lambda: not objects.get("serviceentries", "web"), "the entry is gone")
    eventually(lambda: objects.condition("web")[0] == "False", "the alias says so")


def test_a_recreated_service_with_another_address_is_followed(objects: Objects) -> None:
    """The entry carries the new clusterIP and is a new object: the old one was made for another Service."""
    old_ip = objects.service("web", 443)["spec"]["clusterIP"]
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    old = objects.get("serviceentries", "web")["metadata"]["uid"]
    objects.delete("services", "web")
    new_ip = objects.service("web", 443)["spec"]["clusterIP"]
    assert new_ip != old_ip
    eventually(lambda: objects.spec("web").get("addresses") == [new_ip], "the new address")
    assert objects.get("serviceentries", "web")["metadata"]["uid"] != old
    objects.becomes_ready("web")


def test_another_host_makes_the_old_one_go(objects: Objects) -> None:
    """After the alias' host changed, only the new one is served."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    objects.patch("dnsaliases", "web", {"spec": {"host": "web.other"}})
    eventually(lambda: objects.spec("web").get("hosts") == ["web.other"], "the new host")


def test_a_deleted_alias_takes_its_entry_along(objects: Objects) -> None:
    """The garbage collector removes what the alias owned."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    objects.delete("dnsaliases", "web")
    eventually(lambda: not objects.get("serviceentries", "web"), "the entry is collected")


def test_a_refused_alias_says_why_in_status_and_event(objects: Objects) -> None:
    """An alias of a Service that does not exist is not served, and a person can see the reason."""
    objects.alias("web", "web.hello", "web")
    eventually(lambda: objects.condition("web")[0] == "False", "the alias says so")
    reason = objects.condition("web")[1]
    eventually(lambda: ("DnsAlias", "web", reason) in objects.events(), "the Event")
    assert not objects.get("serviceentries", "web")


def test_repaired_fields_changed_by_somebody_are_told_not_overwritten(objects: Objects) -> None:
    """An address that its owner wrote over ours is the owner's: nothing is forced, the other fields stay ours."""
    objects.service("traefik", 443)
    objects.foreign("traefik", "traefik.cutom-name")
    eventually(lambda: objects.spec("traefik").get("addresses"), "the addresses")
    objects.patch("serviceentries", "traefik", {"spec": {"addresses": ["192.0.2.7"]}})
    touch = {"metadata": {"annotations": {"touched": "yes"}}}
    version = objects.patch("serviceentries", "traefik", touch)["metadata"]["generation"]
    objects.service("later", 443)
    objects.alias("later", "later.hello", "later")
    objects.becomes_ready("later")
    after = objects.get("serviceentries", "traefik")
    assert after["spec"]["addresses"] == ["192.0.2.7"]
    assert after["metadata"]["generation"] == version


def test_who_changed_the_host_of_our_entry_is_told(operator: Operator, objects: Objects) -> None:
    """The log says of a patched entry who wrote it, and of an edited alias that it has another host."""
    objects.service("web", 443)
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")

    def told() -> list[str]:
        entry = {"kind": "ServiceEntry", "namespace": objects.namespace, "name": "web"}
        lines = operator.said(**entry, reason="HostChanged", written="delete")
        return [line["message"].removeprefix("deleted: ") for line in lines]

    def becomes(*hosts: str) -> None:
        eventually(lambda: objects.spec("web").get("hosts") == list(hosts), f"the entry is for {hosts}")

    changed = "the entry was changed by a-person: spec.hosts of the entry is"
    objects.patch("serviceentries", "web", {"spec": {"hosts": ["evil.hello"]}})
    eventually(lambda: len(told()) == 1, "the entry is deleted")
    becomes("web.hello")
    objects.patch("serviceentries", "web", {"spec": {"hosts": ["web.hello", "more.hello"]}})
    eventually(lambda: len(told()) == 2, "the entry is deleted again")
    becomes("web.hello")
    objects.patch("dnsaliases", "web", {"spec": {"host": "web.other"}})
    becomes("web.other")
    assert [message.partition(";")[0] for message in told()] == [
        f"{changed} evil.hello, and the alias has web.hello",
        f"{changed} web.hello, more.hello, and the alias has web.hello alone",
        "the alias' host is web.other now",
    ]


def test_the_alias_follows_another_service_ref(objects: Objects) -> None:
    """After serviceRef changed, the entry is that of the other Service."""
    objects.service("web", 443)
    other = objects.service("other", 8443)["spec"]["clusterIP"]
    objects.alias("web", "web.hello", "web")
    objects.becomes_ready("web")
    objects.patch("dnsaliases", "web", {"spec": {"serviceRef": {"name": "other"}}})
    eventually(lambda: objects.spec("web").get("addresses") == [other], "the other Service's address")
    assert [p["number"] for p in objects.spec("web")["ports"]] == [8443]


def test_an_address_that_another_service_got_is_not_kept(objects: Objects) -> None:
    """The old clusterIP goes to another Service: neither our entry nor a patched one still claims it."""
    old = objects.service("web", 443)["spec"]["clusterIP"]
    objects.alias("web", "web.hello", "web")
    objects.foreign("web-foreign", "web.cutom-name")
    objects.patch("serviceentries", "web-foreign", {"metadata": {"annotations": {"dnsalias.io/service": "web"}}})
    objects.becomes_ready("web")
    eventually(lambda: objects.spec("web-foreign").get("addresses") == [old], "the repair")
    objects.delete("services", "web")
    objects.service("heir", 443, clusterIP=old)
    eventually(lambda: not objects.get("serviceentries", "web"), "our entry is gone")
    eventually(lambda: old not in objects.spec("web-foreign").get("addresses", []), "the patched one let go")


def test_a_contained_entry_is_cured_when_it_can_be(objects: Objects) -> None:
    """Where the clusterIP would do harm the entry gets an address of its own, and the clusterIP once that is safe."""
    ports = [{"name": "http-web", "port": 80}]
    cluster_ip = objects.service("web", ports=ports)["spec"]["clusterIP"]
    objects.foreign("web", "web.cutom-name", 80)
    eventually(lambda: objects.spec("web").get("addresses"), "an address")
    contained = objects.spec("web")["addresses"]
    assert contained != [cluster_ip]
    assert contained[0].startswith("240.241.")
    objects.patch("services", "web", {"spec": {"ports": [{"name": "tcp-web", "port": 80}]}})
    eventually(lambda: objects.spec("web").get("addresses") == [cluster_ip], "the fix")


def test_a_deleted_foreign_entry_leaves_nothing_behind(objects: Objects, operator: Operator) -> None:
    """An unfixed entry that is deleted is not counted any more, and never made again."""
    objects.foreign("lost", "lost.cutom-name", resolution="NONE")
    labels = f'name="lost",namespace="{objects.namespace}"'

    def counted() -> bool:
        return f"dnsalias_unfixed_serviceentry_info{{{labels}" in operator.page("/metrics")[1]

    eventually(lambda: counted() or objects.spec("lost").get("addresses"), "it is looked after")
    objects.delete("serviceentries", "lost")
    eventually(lambda: not counted(), "it is not counted any more")
    assert not objects.get("serviceentries", "lost")
