"""SHARED_MESH_CONFIG: a second ConfigMap of fields that count where the mesh's own does not have them."""

from typing import Any

from dnsalias_operator.core.istio.meshconfig import effective, joined, read_document, shared_name, with_shared
from dnsalias_operator.core.istio.meshconfig.found import Found
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.test_meshconfig import configmap, deployment

NAME = "platform"
CAPTURE = {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}


def found(own: dict[str, Any]) -> Found:
    """A MeshConfig, and an istiod that merges another one."""
    return joined(map(read_document, (configmap(own), deployment(SHARED_MESH_CONFIG=NAME))))


def mesh(told: Found) -> Mesh:
    """The mesh that comes of it."""
    return effective(Mesh(), told, Snapshot())


def test_its_own_config_goes_before_the_shared_one() -> None:
    """Field by field, those of proxyMetadata one by one; that both have a field is no conflict."""
    own = found({"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}, "defaultConfig": {"proxyMetadata": {"A": "b"}}})
    assert shared_name(own) == NAME
    shared = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "enableAutoMtls": False, "defaultConfig": CAPTURE}
    told = with_shared(own, configmap(shared, NAME))
    assert told.faults == ()
    used = mesh(told)
    assert (used.outbound_traffic_policy, used.enable_auto_mtls, used.dns_capture) == ("ALLOW_ANY", False, True)
    assert told.read[-1] == f"ConfigMap istio-system/{NAME}"
    fact = told.get("enable_auto_mtls")
    assert fact is not None
    assert fact.where == f"ConfigMap istio-system/{NAME}: enableAutoMtls"
    assert used.limits_entries is False


def test_it_is_taken_in_once() -> None:
    """A second time changes nothing, nor does one that is no longer there."""
    told = with_shared(found({}), configmap({"enableAutoMtls": False}, NAME))
    assert with_shared(told, configmap({"enableAutoMtls": True}, NAME)) == told
    assert with_shared(told, None) == told


def test_where_it_is_not_known_that_is_said() -> None:
    """Neither what it has nor that a field is not set is known then."""
    for raw in (None, {"kind": "ConfigMap", "metadata": {"name": NAME}, "data": {}}):
        told = with_shared(found({}), raw)
        assert told.unread == (
            f"there is no MeshConfig in ConfigMap {NAME} (Deployment istio-system/istiod: env: SHARED_MESH_CONFIG)",
        )
        assert mesh(told).limits_entries is None


def test_without_the_variable_no_other_config_counts() -> None:
    """A ConfigMap that happens to hold a MeshConfig is none of this mesh."""
    alone = read_document(configmap({}))
    assert shared_name(alone) == ""
    assert with_shared(alone, configmap({"enableAutoMtls": False}, NAME)) == alone


def test_a_shared_config_that_cannot_be_used_is_reported() -> None:
    """By the name of its ConfigMap."""
    told = with_shared(found({}), configmap("a: [", NAME))
    assert [fault.startswith(f"ConfigMap istio-system/{NAME}: mesh: not YAML") for fault in told.faults] == [True]
