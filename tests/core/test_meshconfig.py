"""What is read of the mesh: which documents, which values, what becomes of bad ones, and which mesh comes of it."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dnsalias_operator.core.istio.meshconfig import (
    NOTHING,
    contradictions,
    effective,
    joined,
    names_of,
    read_document,
    read_text,
)
from dnsalias_operator.core.istio.meshconfig.found import BESIDE, Found
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.snapshot import Snapshot

EMPTY = Snapshot()
TEAM = {"matchLabels": {"mesh": "yes"}}


def configmap(config: object, name: str = "istio", **data: str) -> dict[str, Any]:
    """The ConfigMap that holds a MeshConfig: a mapping, or text as it is."""
    written = config if isinstance(config, str) else yaml.safe_dump(config)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "istio-system"},
        "data": {"mesh": written, **data},
    }


def deployment(
    image: str = "istio/pilot:1.28.10", labels: Mapping[str, str] | None = None, **env: str
) -> dict[str, Any]:
    """Istiod's Deployment."""
    container = {
        "name": "discovery",
        "image": image,
        "args": ["discovery", "--domain", "example.internal"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    return {
        "kind": "Deployment",
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": labels or {}},
        "spec": {"template": {"spec": {"containers": [{"name": "other"}, container]}}},
    }


def values(found: Found) -> dict[str, object]:
    """What was found, by name."""
    return {fact.name: fact.value for fact in found.facts}


def mesh(*found: Found, given: Mesh | None = None, world: Snapshot = EMPTY) -> Mesh:
    """The mesh that comes of it."""
    return effective(given or Mesh(), joined(found), world)


def namespaces(**labels: Mapping[str, str]) -> Snapshot:
    """A world of those Namespaces, all of which are known."""
    made = (Namespace.parse({"metadata": {"name": name, "labels": each}}) for name, each in labels.items())
    return Snapshot(made, namespaces_known=True)


# What is read, and from where.


def test_a_meshconfig_is_read_with_where_each_value_stands() -> None:
    """Every field that the model follows, by the name of the setting; the place names object and field."""
    found = read_document(
        configmap(
            {
                "rootNamespace": "istio-root",
                "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
                "defaultServiceExportTo": ["."],
                "defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}},
                "enableAutoMtls": False,
            }
        )
    )
    assert values(found) == {
        "root_namespace": "istio-root",
        "outbound_traffic_policy": "REGISTRY_ONLY",
        "default_service_export_to": (".",),
        "dns_capture": True,
        "enable_auto_mtls": False,
    }
    capture = found.get("dns_capture")
    assert capture is not None
    assert capture.where == ("ConfigMap istio-system/istio: defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE")
    assert (found.faults, found.read) == ((), ("ConfigMap istio-system/istio",))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, "REGISTRY_ONLY"),
        ({"mode": None}, "REGISTRY_ONLY"),
        ({"mode": "ALLOW_ANY"}, "ALLOW_ANY"),
        ({"mode": 1}, "ALLOW_ANY"),
        ({"mode": 0}, "REGISTRY_ONLY"),
    ],
)
def test_a_policy_without_a_mode_has_the_first_of_the_api(policy: object, expected: str) -> None:
    """A field that is given replaces the default as a whole, and the API's first mode is REGISTRY_ONLY."""
    assert mesh(read_document(configmap({"outboundTrafficPolicy": policy}))).outbound_traffic_policy == expected


def test_names_may_be_written_as_in_the_proto() -> None:
    """As istiod's reader takes them."""
    found = read_document(configmap({"outbound_traffic_policy": {"mode": "REGISTRY_ONLY"}, "enable_auto_mtls": False}))
    assert values(found) == {"outbound_traffic_policy": "REGISTRY_ONLY", "enable_auto_mtls": False}


@pytest.mark.parametrize(
    ("listed", "expected"), [([], ("*",)), (["."], (".",)), (["~"], ("~",)), (["a", "b"], ("a", "b"))]
)
def test_an_empty_default_of_exports_is_everybody(listed: list[str], expected: tuple[str, ...]) -> None:
    """Istiod takes a list of nothing for none."""
    assert mesh(read_document(configmap({"defaultServiceExportTo": listed}))).default_service_export_to == expected


def test_istiods_deployment_says_release_domain_and_environment() -> None:
    """The label goes before the image's tag; the container is found by its name."""
    found = read_document(deployment(PILOT_ENABLE_IP_AUTOALLOCATE="false", ISTIO_DUAL_STACK="true"))
    assert values(found) == {
        "istio_version": "1.28.10",
        "cluster_domain": "example.internal",
        "ip_autoallocate": False,
        "istio_dual_stack": True,
    }
    labelled = deployment(labels={"app.kubernetes.io/version": "1.30.3", "istio.io/rev": "canary"})
    assert values(read_document(labelled)) | {"cluster_domain": ""} == {
        "istio_version": "1.30.3",
        "revision": "canary",
        "cluster_domain": "",
    }


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("registry:5000/istio/pilot:1.26.8-distroless", "1.26.8-distroless"),
        ("istio/pilot:1.31-alpha.0", "1.31-alpha.0"),
        ("istio/pilot:1.24.6@sha256:abc", "1.24.6"),
        ("istio/pilot@sha256:abc", None),
        ("pilot", None),
    ],
)
def test_the_release_is_in_the_tag(image: str, release: str | None) -> None:
    """With what comes after the patch; a digest says nothing."""
    assert values(read_document(deployment(image))).get("istio_version") == release


@pytest.mark.parametrize("image", ["istio/pilot:latest", "istio/pilot:1.9.4"])
def test_a_release_that_is_not_modelled_is_a_fault(image: str) -> None:
    """It names what was found and what to set."""
    (fault,) = read_document(deployment(image)).faults
    assert image.rpartition(":")[2] in fault
    assert "set istio_version" in fault


def test_the_injector_says_cluster_network_and_domain_but_not_istiods_release() -> None:
    """Its values are JSON; the tag there is the sidecars'."""
    told = (
        '{"global": {"tag": "1.24.0", "network": "net1", "multiCluster": {"clusterName": "east"}, '
        '"proxy": {"clusterDomain": "example.internal"}}, "revision": "canary"}'
    )
    raw = {"kind": "ConfigMap", "metadata": {"name": "istio-sidecar-injector"}, "data": {"values": told}}
    assert values(read_document(raw)) == {
        "cluster": "east",
        "network": "net1",
        "revision": "canary",
        "cluster_domain": "example.internal",
    }


def test_objects_are_known_by_name_and_revision() -> None:
    """Only those of the revision that is asked for; what is called `default` has no suffix."""
    canary = configmap({"enableAutoMtls": False}, name="istio-canary")
    assert not read_document(canary)
    assert values(read_document(canary, "canary")) == {"enable_auto_mtls": False}
    assert not read_document(configmap({}), "canary")
    assert (
        names_of("default")
        == names_of("")
        == (
            ("ConfigMap", "istio"),
            ("Deployment", "istiod"),
            ("ConfigMap", "istio-sidecar-injector"),
        )
    )
    for unrelated in ({"kind": "ConfigMap", "metadata": {"name": "istio"}}, {"kind": "Secret"}, {}):
        assert read_document(unrelated) == NOTHING


IN_FILES = {
    "MeshConfig": "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n",
    "ConfigMap": yaml.safe_dump(configmap({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}})),
    "ConfigMap of a revision": yaml.safe_dump(
        configmap({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}, name="istio-canary")
    ),
    "IstioOperator": """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mine}
spec:
  tag: 1.26.8
  meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
  values: {meshConfig: {outboundTrafficPolicy: {}}, pilot: {env: {ISTIO_DUAL_STACK: true}}}
""",
    "Helm values": "meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\nglobal: {tag: 1.26.8}\n",
    "Helm values with env": "pilot: {env: {ISTIO_DUAL_STACK: 'true'}}\nmeshConfig: {outboundTrafficPolicy: {}}\n",
}


@pytest.mark.parametrize("content", IN_FILES.values(), ids=list(IN_FILES))
def test_every_form_of_a_file_is_recognised(content: str) -> None:
    """What the file is named for counts, in whatever form it has it."""
    found = read_text(content, "given.yaml")
    assert (found.faults, mesh(found).outbound_traffic_policy) == ((), "REGISTRY_ONLY")
    if "1.26.8" in content:
        assert mesh(found).istio_version == "1.26.8"
    if "DUAL_STACK" in content:
        assert mesh(found).istio_dual_stack


# What is wrong is said, and nothing fails.

BAD = {
    "no YAML": ("{", "not YAML"),
    "a list": ("[1]", "expected a mapping"),
    "a bad mode": ("outboundTrafficPolicy: {mode: ALLOW_ALL}", "ALLOW_ALL"),
    "a policy that is text": ("outboundTrafficPolicy: ALLOW_ANY", "expected a mapping with mode"),
    "capture without quotes": (
        "defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: true}}",
        "put it in quotes",
    ),
    "metadata that is text": ("defaultConfig: {proxyMetadata: x}", "ISTIO_META_DNS_CAPTURE"),
    "exports that are text": ("defaultServiceExportTo: '*'", "expected a list of namespaces"),
    "a number for a flag": ("enableAutoMtls: 1", "expected true or false"),
    "a bad namespace": ("rootNamespace: Istio System", "expected the name of a namespace"),
    "a bad operator": ("discoverySelectors: [{matchExpressions: [{key: a, operator: Is, values: [b]}]}]", "operator"),
    "labels that are no text": ("discoverySelectors: [{matchLabels: {a: 1}}]", "put it in quotes"),
    "an operator that is a list": ("discoverySelectors: [{matchExpressions: [{key: a, operator: [In]}]}]", "a list"),
    "In of nothing": ("discoverySelectors: [{matchExpressions: [{key: a, operator: In}]}]", "In of a"),
    "a bad visibility": ("serviceEntryVisibility: {defaultVisibility: ALL}", "ALL"),
    "a date": ("rootNamespace: 2026-99-99", "not YAML"),
    "far too deep": ("[" * 5000, ""),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=list(BAD))
def test_a_value_that_cannot_be_used_is_told_and_the_default_assumed(content: str, words: str) -> None:
    """One line that names the object, the field and the value; the mesh is as if it were not there."""
    found = read_document(configmap(content))
    (fault,) = found.faults
    assert fault.startswith("ConfigMap istio-system/istio: ")
    assert words in fault
    assert mesh(found).model_dump(exclude={"read_from"}) == Mesh().model_dump(exclude={"read_from"})


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
)


@pytest.mark.parametrize(
    "field",
    ["outboundTrafficPolicy", "defaultServiceExportTo", "enableAutoMtls", "discoverySelectors", "serviceSettings"],
)
def test_what_grows_without_end_is_not_printed(field: str) -> None:
    """A few lines of YAML can stand for more than fits into memory; a fault names what it is."""
    found = read_document(configmap(f"{BOMB}{field}: *n\n"))
    assert all(len(line) < 300 for line in (*found.faults, *found.unfollowed))
    assert found.faults or found.unfollowed


def test_one_bad_field_leaves_the_others() -> None:
    """Each is read by itself."""
    found = read_document(configmap("enableAutoMtls: maybe\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}"))
    assert values(found) == {"outbound_traffic_policy": "REGISTRY_ONLY"}
    assert len(found.faults) == 1


@pytest.mark.parametrize(
    "content", ["", "a: 1", "[]", "kind: ConfigMap\nmetadata: {name: other}", "just text", "{", "a: 1\n---\n{"]
)
def test_a_file_that_says_nothing_of_the_mesh_is_a_fault(content: str) -> None:
    """It was named for that."""
    assert read_text(content, "given.yaml").faults


NESTED = ["mode", "proxyMetadata", "ISTIO_META_DNS_CAPTURE", "matchLabels", "matchExpressions", "key", "operator"]
NESTED += ["values", "policies", "matchingRules", "namespaceSelector", "visibility", "defaultVisibility"]
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "*", "ALLOW_ANY", "true", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NESTED),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
FIELDS = ["outboundTrafficPolicy", "defaultConfig", "defaultServiceExportTo", "discoverySelectors", "enableAutoMtls"]
FIELDS += ["serviceEntryVisibility", "serviceSettings", "meshConfig", "values", "global", "pilot", "kind", "metadata"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_like, max_size=6))
@settings(max_examples=150, deadline=None)
def test_nothing_that_is_read_can_fail(config: dict[str, Any]) -> None:
    """Whatever a document has, it is facts, faults, or nothing, and a mesh comes of it."""
    world = namespaces(a={"mesh": "yes"}, b={})
    for found in (
        read_document(configmap(config)),
        read_document({**config, "kind": "IstioOperator", "spec": config}),
        read_document({**deployment(), "spec": config}),
        read_text(yaml.safe_dump(config), "given.yaml"),
    ):
        mesh(found, world=world)
        assert all(f.name in Mesh.model_fields or f.name in BESIDE for f in found.facts)


# What the model does not follow is told.


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"defaultVirtualServiceExportTo": ["."]}, "defaultVirtualServiceExportTo ."),
        ({"defaultVirtualServiceExportTo": ["*"], "serviceSettings": []}, None),
        ({"serviceSettings": [{"settings": {"clusterLocal": True}, "hosts": ["*"]}]}, "serviceSettings"),
        ({"proxyListenPort": 15001}, None),
        ({"proxyListenPort": 16001}, "proxyListenPort 16001"),
        ({"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "a"}}}, "egressProxy"),
        ({"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_AUTO_ALLOCATE": "true"}}}, "AUTO_ALLOCATE"),
        ({"accessLogFile": "/dev/stdout"}, None),
    ],
)
def test_what_changes_listeners_and_is_not_followed_is_listed(config: dict[str, Any], told: str | None) -> None:
    """And only that."""
    listed = read_document(configmap(config)).unfollowed
    assert [told in line for line in listed] == [True] if told else listed == ()


def test_environment_that_changes_a_rule_is_listed() -> None:
    """Where it is not as the rules were measured; networks too."""
    odd = deployment(ENABLE_EXTERNAL_NAME_ALIAS="false", PILOT_ENABLE_SERVICEENTRY_SELECT_PODS="true")
    assert [line.rpartition(" ")[2] for line in read_document(odd).unfollowed] == ["ENABLE_EXTERNAL_NAME_ALIAS=false"]
    assert read_document(configmap({}, meshNetworks="networks: {a: {}}")).unfollowed
    assert not read_document(configmap({}, meshNetworks="networks: {}")).unfollowed


# What comes of it.


def test_what_is_set_by_hand_counts_and_the_contradiction_is_told() -> None:
    """Whatever its value; what agrees, and what nobody set, is no contradiction."""
    found = read_document(configmap({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "enableAutoMtls": True}))
    by_hand = Mesh(outbound_traffic_policy="ALLOW_ANY", enable_auto_mtls=True)
    assert mesh(found, given=by_hand).outbound_traffic_policy == "ALLOW_ANY"
    (one,) = contradictions(by_hand, found, Snapshot())
    assert str(one) == (
        "outbound_traffic_policy is set to ALLOW_ANY, and counts; "
        "ConfigMap istio-system/istio: outboundTrafficPolicy says REGISTRY_ONLY"
    )
    assert contradictions(Mesh(), found, Snapshot()) == ()


@pytest.mark.parametrize(
    ("by_hand", "differs"), [("1.28", False), ("1.28.10", False), ("1.28.1", True), ("1.30", True)]
)
def test_a_release_without_its_patch_contradicts_only_another_minor(by_hand: str, differs: bool) -> None:  # noqa: FBT001
    """1.28 is no news against 1.28.10, and 1.28.1 is another release."""
    found = read_document(deployment())
    given_mesh = Mesh(istio_version=by_hand)
    assert bool(contradictions(given_mesh, found, Snapshot())) is differs
    assert mesh(found, given=given_mesh).istio_version == by_hand


def test_the_configmap_goes_before_what_it_was_installed_from() -> None:
    """Of several sources the first that has a value counts; each source is named."""
    live = read_document(configmap({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}))
    installed = read_text("outboundTrafficPolicy: {mode: ALLOW_ANY}\nenableAutoMtls: false\n", "values.yaml")
    told = mesh(live, installed)
    assert (told.outbound_traffic_policy, told.enable_auto_mtls) == ("REGISTRY_ONLY", False)
    (conflict,) = joined((live, installed)).faults
    assert conflict == (
        "ConfigMap istio-system/istio: outboundTrafficPolicy says REGISTRY_ONLY, "
        "and values.yaml: outboundTrafficPolicy ALLOW_ANY; the former counts"
    )
    assert told.assumptions().endswith("read from ConfigMap istio-system/istio, values.yaml")


@pytest.mark.parametrize(
    ("selectors", "unseen"),
    [
        ([], set()),
        ([TEAM], {"b", "c"}),
        ([{}], set()),
        ([TEAM, {"matchLabels": {"other": "1"}}], {"c"}),
        ([{"matchExpressions": [{"key": "mesh", "operator": "DoesNotExist"}]}], {"a"}),
        ([{"matchExpressions": [{"key": "mesh", "operator": "NotIn", "values": ["yes"]}]}], {"a"}),
        ([{"matchLabels": {"mesh": "yes", "other": "1"}}], {"a", "b", "c"}),
    ],
)
def test_discovery_selectors_choose_by_the_namespaces_labels(selectors: list[dict[str, Any]], unseen: set[str]) -> None:
    """Any of them is enough, within one everything must hold, an empty one is everything, and so are none."""
    world = namespaces(a={"mesh": "yes"}, b={"other": "1"}, c={})
    found = read_document(configmap({"discoverySelectors": selectors}))
    assert mesh(found, world=world).undiscovered == unseen


def test_a_namespace_whose_labels_are_not_known_counts_as_seen_unless_its_name_decides() -> None:
    """Files seldom have the Namespaces; a selector by the label that holds the name needs none."""
    world = Snapshot([Namespace.parse({"metadata": {"name": "known"}})])
    unknown = [o for name in ("shop", "tools") for o in [_service(name)]]
    world = Snapshot([*world.objects(), *unknown])
    assert mesh(read_document(configmap({"discoverySelectors": [TEAM]})), world=world).undiscovered == {"known"}
    by_name = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop"]}]}
    found = read_document(configmap({"discoverySelectors": [by_name]}))
    assert mesh(found, world=world).undiscovered == {"known", "tools"}


def _service(namespace: str) -> Any:  # noqa: ANN401 (a Service)
    from dnsalias_operator.model.service import Service  # noqa: PLC0415

    return Service.parse({"metadata": {"name": "api", "namespace": namespace}})


@pytest.mark.parametrize("release", ["1.30.3", "1.31"])
@pytest.mark.parametrize("sidecars", [True, False])
def test_visibility_of_entries_is_for_sidecars_where_it_says_so_since_1_31(release: str, sidecars: bool) -> None:  # noqa: FBT001
    """The first policy that matches counts, else the default; earlier releases ignore the field."""
    policies = [
        {"visibility": "PUBLIC", "matchingRules": [{"namespaceSelector": TEAM}]},
        {"visibility": "NONE", "matchingRules": [{"namespaceSelector": {"matchLabels": {"other": "1"}}}]},
    ]
    visibility = {"defaultVisibility": "NAMESPACE", "applyToSidecars": sidecars, "policies": policies}
    world = namespaces(a={"mesh": "yes"}, b={"other": "1"}, c={})
    found = read_document(configmap({"serviceEntryVisibility": visibility}))
    told = mesh(found, given=Mesh(istio_version=release), world=world)
    follows = sidecars and release == "1.31"
    assert sorted(told.hidden_entries) == ["b"] * follows
    assert sorted(told.private_entries) == ["c"] * follows
