"""Workloads with a DNS capture of their own: found in files, and what would do harm in their pods counts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.core.istio.meshconfig import (
    NOTHING,
    Fact,
    differing,
    effective_rules,
    joined,
    read_capture,
    with_shared,
)
from dnsalias_operator.core.istio.meshconfig.found import Found
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.listener_worlds import entry, world

CONFIG = 'proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}'
POD: dict[str, Any] = {"metadata": {"annotations": {"proxy.istio.io/config": CONFIG}}}
META: dict[str, Any] = {"name": "web", "namespace": "shop"}
WITH: dict[str, dict[str, Any]] = {
    "Deployment": {"spec": {"template": POD}},
    "StatefulSet": {"spec": {"template": POD}},
    "DaemonSet": {"spec": {"template": POD}},
    "Job": {"spec": {"template": POD}},
    "CronJob": {"spec": {"jobTemplate": {"spec": {"template": POD}}}},
    "Pod": {"metadata": {**META, **POD["metadata"]}},
}


def found(kind: str, **fields: Any) -> Found:  # noqa: ANN401
    """What one object says."""
    return read_capture({"kind": kind, "metadata": META, **fields})


@pytest.mark.parametrize("kind", WITH)
def test_the_annotation_of_the_pods_is_read(kind: str) -> None:
    """Where each kind has the metadata of its pods."""
    assert found(kind, **WITH[kind]).captures == ((True, f"{kind} shop/web: annotation proxy.istio.io/config"),)


def test_a_proxyconfig_says_it_too() -> None:
    """Istiod merges its environmentVariables into proxyMetadata."""
    spec = {"environmentVariables": {"ISTIO_META_DNS_CAPTURE": "false"}}
    assert found("ProxyConfig", spec=spec).captures == ((False, "ProxyConfig shop/web: environmentVariables"),)


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "Deployment", **WITH["Pod"]},
        {"kind": "Deployment", "spec": {"template": {"metadata": None}}},
        {"kind": "Deployment", "spec": 3},
        {"kind": "Service", **WITH["Pod"]},
        {
            "kind": "Pod",
            "metadata": {"annotations": {"proxy.istio.io/config": "proxyMetadata: ISTIO_META_DNS_CAPTURE"}},
        },
        {"kind": "Pod", "metadata": {"annotations": {"proxy.istio.io/config": "concurrency: 2"}}},
        {"kind": "ProxyConfig", "spec": {"environmentVariables": {"ISTIO_META_DNS_CAPTURE": "maybe"}}},
        {"kind": "ProxyConfig"},
        {},
    ],
)
def test_what_says_nothing_of_it_is_nothing(raw: dict[str, Any]) -> None:
    """Annotations of the Deployment itself are not its pods', and no value but a truth is one."""
    assert read_capture(raw) == NOTHING


def test_an_annotation_that_is_no_yaml_is_reported() -> None:
    """By the name of the workload."""
    annotation = {"proxy.istio.io/config": "ISTIO_META_DNS_CAPTURE: ["}
    (fault,) = found("Pod", metadata={**META, "annotations": annotation}).faults
    assert fault.startswith("Pod shop/web: annotation proxy.istio.io/config is not YAML")


def test_a_fault_in_some_pods_alone_is_found() -> None:
    """With capture, clients dial the allocated address; without, the entry takes the whole port."""
    alone = entry(allocated={"svc.hello": "240.240.0.1"})
    there = world(alone)
    captured = Rules().model_copy(update={"mesh": Rules().mesh.model_copy(update={"dns_capture": True})})
    assert not [f for f in lint(there, captured) if f.code == "DA001"]
    said = read_capture({"kind": "ProxyConfig", "spec": {"environmentVariables": {"ISTIO_META_DNS_CAPTURE": "false"}}})
    both = effective_rules(captured.model_copy(update={"mesh": captured.mesh}), said, there)
    assert both.mesh.dns_capture
    (found_there,) = [f for f in lint(there, both) if f.code == "DA001"]
    assert found_there.message.startswith("in pods with DNS capture off: listens on 0.0.0.0:443 for svc.hello")


def test_the_workloads_are_named_once() -> None:
    """One line for all of them; those that say what the mesh says are none."""
    many = joined(
        read_capture({"kind": "Deployment", "metadata": {"name": f"web-{n}"}, **WITH["Deployment"]}) for n in range(7)
    )
    (line,) = differing(effective_rules(Rules(), many, Snapshot()), Snapshot())
    assert line.startswith(
        "pods have DNS capture on of their own: Deployment web-0: annotation proxy.istio.io/config, "
    )
    assert line.endswith(" and 2 more")
    on = Rules().model_copy(update={"mesh": Rules().mesh.model_copy(update={"dns_capture": True})})
    by_hand = on.model_copy(update={"mesh": type(on.mesh)(dns_capture=True)})
    assert effective_rules(by_hand, many, Snapshot()).beside == ()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
STEPS = ("spec", "template", "jobTemplate", "metadata", "annotations", "environmentVariables", "data", "env")


@settings(max_examples=300)
@given(
    st.sampled_from([*WITH, "ProxyConfig", "ConfigMap"]),
    st.recursive(ANYTHING, lambda inner: st.dictionaries(st.sampled_from(STEPS), inner, max_size=3), max_leaves=8),
    st.text(max_size=30),
)
def test_any_object_has_an_answer(kind: str, value: Any, annotation: str) -> None:  # noqa: ANN401
    """Whatever stands where a pod's annotations, variables or a MeshConfig should."""
    config = {"proxy.istio.io/config": f"ISTIO_META_DNS_CAPTURE{annotation}"}
    for raw in (
        {"kind": kind, "metadata": value, "spec": value, "data": value},
        {"kind": "Pod", "metadata": {"annotations": config}},
    ):
        assert isinstance(read_capture(raw), Found)
        shared = Found(facts=(Fact("shared_mesh_config", "x", "here"),))
        assert isinstance(with_shared(shared, raw), Found)
