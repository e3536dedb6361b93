"""Findings of ambient mode: when they are there, how grave they are, and when they are not."""

from typing import Any

import pytest

from dnsalias_operator.core.istio.ambient import has_sidecars
from dnsalias_operator.core.outcome import Finding, Severity
from dnsalias_operator.core.plan import lint
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.remedies.worlds import WORLDS
from tools import make

AMBIENT = {"labels": {"istio.io/dataplane-mode": "ambient"}}
SHOP = make.manifest("v1", "Namespace", "shop", None, meta=AMBIENT)
PAY = make.service("pay", namespace="shop", ip="10.96.0.1", ports=[make.port(7000)], selector={"app": "pay"})


def entry(name: str = "led", namespace: str = "shop", **spec: Any) -> make.Raw:  # noqa: ANN401 (any JSON)
    """An entry of one TCP port, with an address of its own unless it says otherwise."""
    given: dict[str, Any] = {"addresses": ["240.241.0.9"], "location": "MESH_INTERNAL", "resolution": "DNS", **spec}
    return make.entry(name, f"{name}.hello", namespace=namespace, ports=[make.entry_port(7000)], **given)


def found(*raws: make.Raw, **mesh: object) -> dict[str, Finding]:
    """The findings of these objects, by code."""
    world = Snapshot((KINDS[raw["kind"]].parse(raw) for raw in raws), namespaces_known=True)
    return {f.code: f for f in lint(world, make.rules(mesh=Mesh(**mesh)))}


def test_a_mesh_of_sidecars_has_none_of_them() -> None:
    """Every world that has one has none once nobody is in ambient mode."""
    codes = set()
    for name, scenario in WORLDS.items():
        if name.startswith("ambient"):
            raws = [raw for raw in scenario.objects if raw["kind"] != "Namespace"]
            codes |= {code for code in found(SHOP, *scenario.objects) if code >= "DA040"}
            assert [code for code in found(*raws) if code >= "DA040"] == []
            assert [code for code in found(*scenario.objects, ambient="no") if code >= "DA040"] == []
    assert codes == {"DA040", "DA041", "DA042", "DA043", "DA044", "DA045", "DA046"}


def test_the_message_says_who_answers_for_whom() -> None:
    """By the namespace of the client; one address of several entries alike is no fault."""
    steal = entry("steal", "other", addresses=["10.96.0.1"], endpoints=[{"address": "192.0.2.1"}])
    told = found(SHOP, PAY, steal)["DA020"].message
    assert "clients of other namespaces reach by chance Service shop/pay or ServiceEntry other/steal" in told
    assert "those of namespace other reach ServiceEntry other/steal" in told
    assert "those of namespace shop reach Service shop/pay" in told
    older = found(SHOP, PAY, steal, istio_version="1.29")["DA020"].message
    assert "those of namespace shop reach by chance" in older
    one, two = (entry(name, addresses=["203.0.113.7"], endpoints=[{"address": "192.0.2.1"}]) for name in ("a", "b"))
    assert "DA040" not in found(SHOP, one, two)
    assert "DA040" in found(SHOP, one, entry("b", addresses=["203.0.113.7"], endpoints=[{"address": "192.0.2.2"}]))


@pytest.mark.parametrize(
    ("spec", "meta", "strict", "severity"),
    [
        ({"endpoints": [{"address": "pay.shop.svc.cluster.local"}]}, {}, False, Severity.WARNING),
        ({"endpoints": [{"address": "pay.shop.svc.cluster.local"}]}, {}, True, Severity.CRITICAL),
        ({"endpoints": [{"address": "10.96.0.1"}], "resolution": "STATIC"}, {}, False, Severity.WARNING),
        (
            {"endpoints": [{"address": "pay.shop.svc.cluster.local"}]},
            {"annotations": {"ambient.istio.io/redirection": "enabled"}},
            False,
            Severity.CRITICAL,
        ),
        ({"endpoints": [{"address": "db.example.com"}]}, {}, True, None),
        (
            {"endpoints": [{"address": "pay.shop.svc.cluster.local"}]},
            {"labels": {"istio.io/use-waypoint": "way"}},
            True,
            None,
        ),
    ],
)
def test_a_service_as_endpoint(
    spec: make.Raw,
    meta: make.Raw,
    strict: bool,  # noqa: FBT001 (a table)
    severity: Severity | None,
) -> None:
    """A warning under PERMISSIVE, critical where pods refuse it; nothing of servers outside, or behind a waypoint."""
    policy = make.manifest(
        "security.istio.io/v1", "PeerAuthentication", "p", {"mtls": {"mode": "STRICT"}}, namespace="shop"
    )
    there = found(SHOP, PAY, entry(meta=meta, **spec), *([policy] if strict else []))
    assert (there["DA043"].severity if "DA043" in there else None) is severity


def test_prefixes_by_release_and_resolution() -> None:
    """From 1.30 on; one that keeps the destination lets calls pass. The wording of DA009 is about sidecars."""
    wide = entry("wide", addresses=["0.0.0.0/0"], resolution="STATIC", endpoints=[{"address": "192.0.2.1"}])
    there = found(SHOP, wide)
    assert there["DA041"].severity is Severity.CRITICAL
    assert there["DA009"].message.endswith("acts as no address at all to sidecars")
    assert "DA041" not in found(SHOP, wide, istio_version="1.29")
    assert "DA041" not in found(SHOP, entry("wide", addresses=["198.51.100.0/24"], resolution="NONE"))
    assert found(wide)["DA009"].message.endswith("acts as no address at all")


def test_a_selector_that_a_service_of_its_namespace_shares_is_none_of_elsewhere() -> None:
    """Pods that no Service selects may be there; the same selector in another namespace is what makes it a fault."""
    away = entry("away", "other", resolution="STATIC", workloadSelector={"labels": {"app": "pay"}})
    assert "DA044" in found(SHOP, PAY, away)
    here = make.service("own", namespace="other", ports=[make.port(7000)], selector={"tier": "db"})
    assert "DA044" not in found(SHOP, PAY, away, here)
    assert "DA044" not in found(SHOP, away)


def test_policies_of_the_service_are_said_of_an_alias_before_its_entry_is_made() -> None:
    """And of the entry once it is there; one that names the entry covers it."""

    def policy(*refs: make.Raw) -> make.Raw:
        targets = [{"group": "", "kind": "Service", "name": "pay"}, *refs]
        spec = {"targetRefs": targets, "rules": [{}]}
        return make.manifest("security.istio.io/v1", "AuthorizationPolicy", "some", spec, namespace="shop")

    alias = make.alias("other", "other.hello", "pay", namespace="shop")
    told = found(SHOP, PAY, alias, policy())["DA046"]
    assert (told.key.kind, told.severity) == ("DnsAlias", Severity.CRITICAL)
    assert told.remedy.startswith("add {group: networking.istio.io, kind: ServiceEntry, name: other} to")
    ref = {"group": "networking.istio.io", "kind": "ServiceEntry", "name": "other"}
    assert "DA046" not in found(SHOP, PAY, alias, policy(ref))
    assert "DA046" not in found(PAY, alias, policy())


@pytest.mark.parametrize(
    ("raws", "mesh", "told"),
    [
        ((SHOP, PAY), {}, False),
        ((SHOP, PAY, make.service("kubernetes", namespace="default")), {}, False),
        ((SHOP, PAY, make.service("web", namespace="default")), {}, True),
        ((SHOP, PAY, make.manifest("v1", "Namespace", "kube-system", None)), {}, False),
        ((SHOP, PAY, make.manifest("v1", "Namespace", "side", None)), {}, True),
        ((PAY,), {}, True),
        ((SHOP, PAY), {"ambient": "yes"}, True),
    ],
)
def test_sidecars_may_be_wherever_no_label_says_otherwise(
    raws: tuple[make.Raw, ...],
    mesh: make.Raw,
    told: bool,  # noqa: FBT001 (a table)
) -> None:
    """Pods can get one by one what no Namespace shows: only a mesh that is labelled as a whole has none."""
    world = Snapshot(KINDS[raw["kind"]].parse(raw) for raw in raws)
    assert has_sidecars(world, Mesh(**mesh)) is told
