"""DA032 and DA033: what MeshConfig lacks is said once a mesh, where it would have prevented something."""

import pytest
import yaml

from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.core.istio.meshconfig import effective, read_document, read_text
from dnsalias_operator.core.traffic.catch_all import catches_now
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.listener_worlds import NEWER, OLDER, PORT, VIP, entry, service, world

LIMITED = "{applyToSidecars: true, defaultVisibility: NAMESPACE}"
BY_DEFAULT = {"1.31": "DA032", "1.30.3": "DA033", "1.22": "DA033"}
AT_ROOT = frozenset({"DA032", "DA033"})
CATCHES = world(entry("one"), entry("two", namespace="shop"))


def mesh(there: Snapshot, config: str = "{}", release: str = "1.31") -> Mesh:
    """The mesh of a ConfigMap with that MeshConfig."""
    data = {"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": config}}
    return effective(Mesh(istio_version=release), read_document({"kind": "ConfigMap", **data}), there)


def found(there: Snapshot, config: str = "{}", release: str = "1.31") -> list[tuple[str, str]]:
    """Code and message of what is said about the mesh."""
    findings = lint(there, Rules(mesh=mesh(there, config, release)))
    return [(f.code, f.message) for f in findings if f.code in AT_ROOT]


@pytest.mark.parametrize("release", BY_DEFAULT)
def test_one_finding_a_mesh_by_release(release: str) -> None:
    """It names whom it would have prevented; from 1.31 it is the field that leaves Services alone."""
    ((code, message),) = found(CATCHES, release=release)
    assert code == BY_DEFAULT[release]
    assert message.startswith("abc/one, shop/two take traffic in namespaces of others, and ")


def test_nothing_is_said_of_a_mesh_whose_config_is_not_known() -> None:
    """Nobody knows whether the field is set; istiod's Deployment alone does not say it."""
    label = {"app.kubernetes.io/version": "1.31.0"}
    istiod = {"kind": "Deployment", "metadata": {"name": "istiod", "namespace": "istio-system", "labels": label}}
    used = effective(Mesh(), read_document(istiod), CATCHES)
    assert used.istio_version == "1.31.0"
    assert not {f.code for f in lint(CATCHES, Rules(mesh=used))} & AT_ROOT


HEALTHY = {
    "an entry with addresses": world(service(), entry(addresses=["240.1.0.1"])),
    "an entry matched by SNI": world(entry(protocol="TLS")),
    "a catch-all of its own namespace": world(entry(export_to=["."])),
    "an entry that has the Service's address and is younger": world(service(), entry(addresses=[VIP])),
}


@pytest.mark.parametrize("there", HEALTHY.values(), ids=list(HEALTHY))
@pytest.mark.parametrize("release", BY_DEFAULT)
def test_it_is_no_noise(there: Snapshot, release: str) -> None:
    """Where no entry takes what is meant for other namespaces, there is nothing to prevent."""
    assert found(there, release=release) == []


@pytest.mark.parametrize(
    ("config", "release", "codes"),
    [
        (f"serviceEntryVisibility: {LIMITED}", "1.31", []),
        ("serviceEntryVisibility: {defaultVisibility: NAMESPACE}", "1.31", ["DA032"]),
        ("defaultServiceExportTo: ['.']", "1.31", []),
        ("defaultServiceExportTo: ['.']", "1.28", []),
        (f"serviceEntryVisibility: {LIMITED}", "1.28", ["DA033"]),
    ],
)
def test_what_is_set_already_is_not_asked_for(config: str, release: str, codes: list[str]) -> None:
    """A limit that is for ambient alone, or that a release does not know, is none."""
    assert [code for code, _ in found(CATCHES, config, release)] == codes


def test_a_namespace_that_is_meant_to_be_public_is_no_reason() -> None:
    """Whoever set the limit has said whose entries are for everybody."""
    public = "{visibility: PUBLIC, matchingRules: [{namespaceSelector: {matchLabels: {a: b}}}]}"
    config = f"serviceEntryVisibility: {{applyToSidecars: true, defaultVisibility: NAMESPACE, policies: [{public}]}}"
    assert any(f.code == "DA001" for f in lint(CATCHES, Rules(mesh=mesh(CATCHES, config))))
    assert found(CATCHES, config) == []


def test_no_default_helps_an_entry_that_says_it_is_public() -> None:
    """Before 1.31 nothing in MeshConfig does."""
    there = world(entry(export_to=["*"]))
    assert found(there, release="1.30") == []
    assert [code for code, _ in found(there)] == ["DA032"]


def test_taking_a_services_address_counts_too() -> None:
    """An older entry with a clusterIP takes the Service's connections of every namespace."""
    there = world(service(created=NEWER), entry(addresses=[VIP], created=OLDER))
    assert [code for code, _ in found(there)] == ["DA032"]


@pytest.mark.parametrize(
    ("release", "config"),
    [("1.31", f"serviceEntryVisibility: {LIMITED}"), ("1.28", "defaultServiceExportTo: ['.']")],
)
def test_what_it_asks_for_keeps_the_harm_at_home(release: str, config: str) -> None:
    """With the field set, the catch-all reaches its own namespace alone."""
    one = entry("one")
    there = world(one)
    reaches = [catches_now(there, one, mesh(there, each, release), PORT) for each in ("{}", config)]
    assert [str(where) for where in reaches] == ["every namespace", "namespace abc"]


def test_helm_values_say_what_is_not_set() -> None:
    """Values without a meshConfig make one of defaults."""
    values = yaml.safe_dump({"pilot": {"tag": "1.31.0"}})
    used = effective(Mesh(), read_text(values, "values.yaml"), CATCHES)
    assert used.limits_entries is False


def test_a_config_that_istiod_refuses_says_nothing() -> None:
    """It goes on with the one before, which may have the field."""
    assert found(CATCHES, "serviceEntryVisibility: 3") == []
