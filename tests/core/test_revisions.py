"""Several revisions of istiod in one mesh: which are read, where they differ, and that none is harmed by a decision."""

from typing import Any

import pytest

from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.entries.decide import decide_entry
from dnsalias_operator.core.findings.lint import lint
from dnsalias_operator.core.istio.meshconfig import (
    differing,
    effective_rules,
    joined,
    read_document,
    revisions_in,
    with_revisions,
)
from dnsalias_operator.core.istio.meshconfig.found import DENIED, Found
from dnsalias_operator.core.outcome import Severity, State
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.namespace import Namespace
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from tests.core.listener_worlds import NEWER, OLDER, VIP, entry, service, world
from tests.core.test_meshconfig import configmap, deployment
from tools import make

REV = "istio.io/rev"


def namespace(name: str, revision: str = "") -> Namespace:
    """A Namespace whose sidecars are served by that revision."""
    return Namespace.parse({"metadata": {"name": name, "labels": {REV: revision} if revision else {}}})


def config(revision: str, **fields: Any) -> Found:  # noqa: ANN401
    """What the ConfigMap of a revision says."""
    return read_document(configmap(fields, f"istio-{revision}"), revision)


OWN = joined(map(read_document, (configmap({}), deployment())))
THERE = Snapshot((namespace("shop", "canary"), namespace("abc")), namespaces_known=True)


def rules(found: Found, there: Snapshot = THERE, given: Rules | None = None) -> Rules:
    """The rules that come of it."""
    return effective_rules(given or Rules(), found, there)


def test_labels_of_namespaces_name_the_revisions() -> None:
    """But for the one that is read anyway, which has no name or is called default, and what can be no name."""
    labels = [{REV: each} for each in ("canary", "default", "", "A_b", "../x", "blue", "canary")] + [{}]
    assert revisions_in(labels, "") == ("blue", "canary")
    assert revisions_in(labels, "canary") == ("blue", "default")


def test_where_a_revision_differs_is_told() -> None:
    """With its namespaces and both values; what its Deployment would say is taken to be the same if it is not read."""
    found = with_revisions(OWN, {"canary": config("canary", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})})
    ruled = rules(found)
    assert [m.istio_revision for m in ruled.beside] == ["canary"]
    assert differing(ruled, THERE) == (
        "revision canary (namespace shop) has outbound_traffic_policy REGISTRY_ONLY instead of ALLOW_ANY",
    )


def test_what_makes_no_difference_is_not_told() -> None:
    """A field that no prediction uses, one that says what the default is, and one that is set by hand."""
    same = with_revisions(OWN, {"canary": config("canary", accessLogFile="x", enableAutoMtls=True)})
    assert rules(same).beside == ()
    other = with_revisions(OWN, {"canary": config("canary", enableAutoMtls=False)})
    assert len(rules(other).beside) == 1
    assert rules(other, given=Rules(mesh=Mesh(enable_auto_mtls=True))).beside == ()


def test_selectors_count_by_revision() -> None:
    """What one istiod does not see another may."""
    selectors = [{"matchLabels": {REV: "canary"}}]
    found = with_revisions(OWN, {"canary": config("canary", discoverySelectors=selectors)})
    assert rules(found).beside[0].undiscovered == {"abc"}
    assert "undiscovered namespace abc instead of no namespace" in differing(rules(found), THERE)[0]


@pytest.mark.parametrize(
    ("unread", "told"),
    [
        ("there is no ConfigMap istio-system/istio-stable", "the MeshConfig of revision stable"),
        (f"{DENIED}ConfigMap istio-system/istio-stable", f"{DENIED}ConfigMap istio-system/istio-stable"),
    ],
)
def test_a_revision_that_is_not_known_is_told(unread: str, told: str) -> None:
    """It may be a tag, or the right is missing."""
    found = with_revisions(OWN, {"stable": Found(unread=(unread,))})
    assert found.others == ()
    assert found.unread[-1].startswith(told)


def test_what_cannot_be_used_names_the_revision() -> None:
    """A bad value of another revision's MeshConfig."""
    found = with_revisions(OWN, {"canary": config("canary", enableAutoMtls="maybe")})
    assert found.others == ()
    assert len(found.unread) == 1


OLD = Mesh(istio_version="1.28.10", istio_revision="old", only_for="where istiod is of revision old")
BOTH = Rules(foreign_entries="patch", mesh=Mesh(), beside=(OLD,))
ALONE = Rules(foreign_entries="patch", mesh=Mesh())


def test_what_only_another_release_makes_of_an_entry_is_found() -> None:
    """Before 1.30.3 a private entry takes the clusterIP of an older Service that is exported to it by name."""
    there = world(
        service(namespace="data", created=OLDER, export_to="abc"),
        entry(addresses=[VIP], export_to=["."], created=NEWER),
    )
    codes = {name: {f.code: f for f in lint(there, each)} for name, each in (("alone", ALONE), ("both", BOTH))}
    assert "DA005" not in codes["alone"]
    found = codes["both"]["DA005"]
    assert found.severity is Severity.CRITICAL
    assert found.message.startswith("where istiod is of revision old: takes 10.96.0.10:443 from Service data/svc")
    assert codes["both"].keys() - {"DA005"} == codes["alone"].keys()


def test_each_finding_is_told_once() -> None:
    """What every revision makes of an entry has the words of the one that is assumed."""
    there = world(entry())
    assert lint(there, BOTH) == lint(there, ALONE)


def test_an_alias_is_served_only_if_it_does_no_harm_under_any_revision() -> None:
    """Its entry would take the host from an older one that only another revision's istiod sees."""
    alias = DnsAlias.parse(make.alias("api", "api.hello", "svc", namespace="abc"))
    older = entry("first", addresses=["240.1.0.1"], hosts=["api.hello"], namespace="data", created=OLDER)
    there = Snapshot((service(created=OLDER), alias, older))
    blind, canary = (
        Mesh(undiscovered=frozenset({"data"})),
        Mesh(istio_revision="canary", only_for="where istiod is of revision canary"),
    )
    said = {}
    for name, each in (("blind", Rules(mesh=blind)), ("both", Rules(mesh=blind, beside=(canary,)))):
        decided = decide_alias(there, alias.key, each)
        assert decided is not None
        said[name] = decided
    assert said["blind"].conditions[-1].status == "True"
    ready = said["both"].conditions[-1]
    assert ready.reason is Reason.WOULD_SHADOW_ENTRY
    assert ready.message.startswith("where istiod is of revision canary: ServiceEntry abc/api would take api.hello:443")


def test_an_entry_is_repaired_only_if_that_does_no_harm_under_any_revision() -> None:
    """The clusterIP in a private entry would take it from the Service before 1.30.3."""
    label = {"app.kubernetes.io/managed-by": "dns-controller"}
    there = world(
        service(namespace="data", created=OLDER, export_to="abc"),
        entry(
            "svc",
            export_to=["."],
            created=NEWER,
            labels=label,
            spec={"endpoints": [{"address": "svc.data.svc.cluster.local"}]},
        ),
    )
    key = there.entries()[0].key
    states = {}
    for name, each in (("alone", ALONE), ("both", BOTH), ("old", ALONE.model_copy(update={"mesh": OLD}))):
        decided = decide_entry(there, key, each)
        assert decided is not None
        states[name] = (decided.state, decided.why.reason if decided.why else None)
    assert states["alone"] == (State.FIXED, None)
    assert states["both"] == states["old"]
    assert states["both"][1] is Reason.WOULD_SHADOW_SERVICE
