"""Changes: what of an object is touched, and what is not."""

from copy import deepcopy
from typing import Any

from dnsalias_operator.core.changes import drift, restored
from dnsalias_operator.core.outcome import Verb
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.serviceentry import ServiceEntry
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.one_alias import ALIAS, SERVICE
from tools import make


def _generated() -> dict[str, Any]:
    world = Snapshot(KINDS[o["kind"]].parse(o) for o in (SERVICE, ALIAS))
    (change,) = plan(world, make.rules()).changes
    return dict(change.apply)


def _live(manifest: dict[str, Any]) -> dict[str, Any]:
    live = deepcopy(manifest)
    live["metadata"] |= {"uid": "e1", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:01:00Z"}
    return live


def test_no_drift_no_change() -> None:
    """What the API server adds to the metadata, and another order of the ports, is no drift."""
    manifest = _generated()
    live = _live(manifest)
    live["spec"]["ports"].reverse()
    assert drift(live, manifest) == ()
    assert restored(ServiceEntry.parse(live), manifest) is None


def test_an_edited_field_is_applied_again() -> None:
    """A value that we own is set back by server-side apply, with the uid, so that nobody else's object is met."""
    manifest = _generated()
    live = _live(manifest)
    live["spec"]["addresses"] = ["10.96.9.9"]
    change = restored(ServiceEntry.parse(live), manifest)
    assert change is not None
    assert (change.verb, change.fields) == (Verb.UPDATE, ("spec.addresses",))
    assert change.apply["metadata"]["uid"] == "e1"


def test_a_foreign_field_in_our_spec_is_removed_by_replacing() -> None:
    """Server-side apply cannot remove what another manager added, so the whole object is put, at this version."""
    manifest = _generated()
    live = _live(manifest)
    live["spec"]["subjectAltNames"] = ["spiffe://elsewhere"]
    live["metadata"]["labels"]["team"] = "blue"
    change = restored(ServiceEntry.parse(live), manifest)
    assert change is not None
    assert change.verb is Verb.REPLACE
    assert "subjectAltNames" not in change.apply["spec"]
    assert change.apply["metadata"]["resourceVersion"] == "7"
    assert change.apply["metadata"]["labels"]["team"] == "blue"


def test_another_port_beside_ours_is_removed_by_replacing() -> None:
    """Ports are a map by name to the API server: an added one survives an apply."""
    manifest = _generated()
    live = _live(manifest)
    live["spec"]["ports"].append({"name": "extra", "number": 9, "protocol": "TCP"})
    change = restored(ServiceEntry.parse(live), manifest)
    assert change is not None
    assert change.verb is Verb.REPLACE


def test_labels_of_others_on_our_entry_are_no_drift() -> None:
    """Others may label and annotate our entries; only our own labels are kept right."""
    manifest = _generated()
    live = _live(manifest)
    live["metadata"]["labels"]["team"] = "blue"
    live["metadata"].setdefault("annotations", {})["note"] = "x"
    assert restored(ServiceEntry.parse(live), manifest) is None
    del live["metadata"]["labels"]["dnsalias.io/alias"]
    change = restored(ServiceEntry.parse(live), manifest)
    assert change is not None
    assert change.fields == ("metadata.labels[dnsalias.io/alias]",)
