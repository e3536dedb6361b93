"""What the operator did, told from Events and managedFields as an API server has them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dnsalias_operator.core.advice.history import Happening, history
from dnsalias_operator.model.names import Key

AGAIN = {"count": 3, "lastObservedTime": "2026-01-01T00:00:08Z"}
ALIAS, ENTRY = Key("DnsAlias", "abc", "web"), Key("ServiceEntry", "abc", "web")


def event(at: str, key: Key, reason: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """An Event of events.k8s.io/v1 as the operator posts it."""
    about = {"kind": key.kind, "namespace": key.namespace, "name": key.name}
    mine = {"reportingController": "dnsalias-operator", "regarding": about, "eventTime": at, "type": "Normal"}
    return {**mine, "reason": reason, "note": f"note of {reason}", **more}


def managed(manager: str, at: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """One entry of managedFields."""
    return {"manager": manager, "operation": "Apply", "time": at, "fieldsV1": {f"f:{k}": v for k, v in fields.items()}}


def test_it_is_told_in_its_order_with_what_was_written() -> None:
    """Events of ours, and the last write of each of our managers; what others did is none of it."""
    events = [
        event("2026-01-01T00:00:09.000001Z", ALIAS, "HostHeld", type="Warning"),
        event(
            "2026-01-01T00:00:05.5Z", ENTRY, "Repaired", series={"count": 3, "lastObservedTime": "2026-01-01T00:00:08Z"}
        ),
        event("2026-01-01T00:00:01Z", ENTRY, "Repaired", reportingController="somebody-else"),
        event("2026-01-01T00:00:01Z", Key("Pod", "abc", "x"), "Killing"),
        event("", ALIAS, "NoTime"),
    ]
    fields = [
        managed("dnsalias-repair", "2026-01-01T00:00:07Z", spec={"f:addresses": {}, "f:endpoints": {}}),
        managed("dns-controller", "2026-01-01T00:00:02Z", spec={"f:hosts": {}}),
        managed("dnsalias-operator", "2026-01-01T00:00:03Z", metadata={"f:labels": {}}),
    ]
    entry = {"kind": "ServiceEntry", "metadata": {"namespace": "abc", "name": "web", "managedFields": fields}}
    start = 1_767_225_600
    assert history(events, [entry]) == (
        Happening(start + 7, ENTRY, "", "dnsalias-repair wrote spec.addresses, spec.endpoints"),
        Happening(start + 8, ENTRY, "Repaired", "note of Repaired", count=3),
        Happening(start + 9, ALIAS, "HostHeld", "note of HostHeld", warning=True),
    )


def test_events_of_the_core_group_are_read_as_well() -> None:
    """The same Event, as the older API shows it."""
    about = {"kind": "DnsAlias", "namespace": "abc", "name": "web"}
    old = {"reportingComponent": "dnsalias-operator", "involvedObject": about, "lastTimestamp": "2026-01-01T00:00:00Z"}
    (told,) = history([{**old, "reason": "Programmed", "message": "it works"}], [])
    assert (told.key, told.reason, told.message) == (ALIAS, "Programmed", "it works")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda j: st.lists(j) | st.dictionaries(st.text(), j)
)


@given(
    value=JSON,
    name=st.sampled_from(["eventTime", "series", "regarding", "note", "reason", "type", "reportingController"]),
)
def test_whatever_an_event_holds_there_is_an_answer(value: object, name: str) -> None:
    """Others may write Events in our name."""
    history([{**event("2026-01-01T00:00:00Z", ALIAS, "Ready"), name: value}], [])
    meta = {"namespace": "abc", "name": "web", "managedFields": [{**managed("dnsalias-operator", "x"), name: value}]}
    history(
        [], [{"kind": "ServiceEntry", "metadata": meta}, {"kind": "DnsAlias", "metadata": {"managedFields": value}}]
    )
