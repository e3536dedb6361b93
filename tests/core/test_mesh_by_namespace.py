"""What a MeshConfig says of namespaces, and of mTLS: what istiod does not discover, and how far entries are seen."""

import pytest

from dnsalias_operator.core.aliases.decide import decide_alias
from dnsalias_operator.core.findings.lint import entry_findings
from dnsalias_operator.core.istio.clusters import ClientTls
from dnsalias_operator.core.istio.listeners import Client, clients_that_matter, outbound, sidecar_of
from dnsalias_operator.core.istio.listeners.families import allocates
from dnsalias_operator.core.outcome import Verb
from dnsalias_operator.core.reasons import Reason
from dnsalias_operator.core.traffic.takeover import takes_from
from dnsalias_operator.model.dnsalias import DnsAlias
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.rules import Rules
from tests.core.listener_worlds import CLIENT, NEWER, OLDER, PORT, VIP, entry, service, sidecar, takers, world
from tests.core.mtls_worlds import ROOT, destination_rule, endpoint, peer_authentication, sent
from tools import make

UNSEEN = Mesh(undiscovered=frozenset({"abc"}))
PLAIN = Mesh(enable_auto_mtls=False)
OWN = Client("abc")
ALIAS, SVC, NOBODY = ("alias", "alias"), ("svc", "svc"), ("-", "-")


def test_what_istiod_does_not_discover_has_no_listener() -> None:
    """Neither a Service nor an entry without addresses: the port passes through."""
    there = world(service(), entry())
    assert takers(there, VIP) == SVC
    assert outbound(there, CLIENT, UNSEEN) == ()
    assert takers(there, VIP, mesh=UNSEEN) == NOBODY
    assert outbound(there, OWN, UNSEEN) == ()


def test_a_catch_all_that_is_not_discovered_is_none() -> None:
    """No finding says that it takes traffic."""
    alone = entry()
    codes = {mesh: [f.code for f in entry_findings(world(alone), alone, Rules(mesh=mesh))] for mesh in (Mesh(), UNSEEN)}
    assert "DA001" in codes[Mesh()]
    assert "DA001" not in codes[UNSEEN]


def test_a_hostname_is_contested_only_by_what_is_discovered() -> None:
    """Of two namespaces with one host the client's own counts, unless istiod does not see it."""
    mine = entry("mine", addresses=[VIP], hosts=["one.hello"], created=NEWER)
    other = entry("other", addresses=[VIP], hosts=["one.hello"], namespace="data", created=OLDER)
    there = world(mine, other)
    owners = {row.owner.namespace for x in outbound(there, CLIENT, UNSEEN) for row in x.rows if row.owner}
    assert owners == {"data"}


def test_what_is_not_discovered_claims_no_host() -> None:
    """Two entries of one host meet only where istiod sees both."""
    mine = entry("mine", addresses=[VIP], hosts=["one.hello"], namespace="shop", created=NEWER)
    other = entry("other", addresses=["10.96.0.11"], hosts=["one.hello"], created=OLDER)
    codes = {
        mesh: [f.code for f in entry_findings(world(mine, other), mine, Rules(mesh=mesh))] for mesh in (Mesh(), UNSEEN)
    }
    assert "DA007" in codes[Mesh()]
    assert "DA007" not in codes[UNSEEN]


def test_an_entry_that_is_seen_takes_the_address_of_a_service_that_is_not() -> None:
    """Connections to it went there without a listener: that traffic moves, so the guard must say so."""
    hidden = service(namespace="abc")
    taker = entry(addresses=[VIP], namespace="data", created=NEWER)
    there = world(hidden, taker)
    assert takes_from(there, taker, Mesh()) is None
    moved = takes_from(there, taker, UNSEEN)
    assert moved is not None
    assert (moved.loser, moved.unseen) == (hidden.key, True)


def test_sidecars_and_policies_there_do_not_apply() -> None:
    """Nor does the root namespace's where that is left out; a client there still has what others export."""
    there = world(sidecar("./*", namespace="abc"), entry(addresses=[VIP], namespace="data"))
    assert sidecar_of(there, OWN, Mesh()) is not None
    assert takers(there, VIP, client=OWN) == NOBODY
    assert sidecar_of(there, OWN, UNSEEN) is None
    assert takers(there, VIP, client=OWN, mesh=UNSEEN) == ALIAS
    rooted = world(sidecar(namespace=ROOT))
    assert sidecar_of(rooted, CLIENT, Mesh()) is not None
    assert sidecar_of(rooted, CLIENT, Mesh(undiscovered=frozenset({ROOT}))) is None
    assert clients_that_matter(there, UNSEEN, PORT)


def test_rules_and_peer_authentications_there_do_not_apply() -> None:
    """A DestinationRule of the client's namespace, and a PeerAuthentication of the mesh."""
    target = entry(namespace="data", spec={"location": "MESH_INTERNAL", "endpoints": [endpoint(tls_mode="istio")]})
    ruled = (target, destination_rule("svc.hello", "ISTIO_MUTUAL"))
    assert sent(*ruled, client=OWN).tls is ClientTls.MTLS
    assert sent(*ruled, client=OWN, mesh=UNSEEN).tls is ClientTls.BY_ENDPOINT
    disabled = (target, peer_authentication("DISABLE", namespace=ROOT))
    assert sent(*disabled, mesh=Mesh()).tls is ClientTls.PLAINTEXT
    assert sent(*disabled, mesh=Mesh(undiscovered=frozenset({ROOT}))).tls is ClientTls.BY_ENDPOINT


@pytest.mark.parametrize(
    ("export_to", "own", "elsewhere"),
    [([], True, False), (["*"], True, False), (["."], True, False), (["default"], False, False), (["~"], False, False)],
)
def test_visibility_of_namespace_caps_what_an_entry_is_exported_to(
    export_to: list[str],
    own: bool,  # noqa: FBT001 (a parameter of a test)
    elsewhere: bool,  # noqa: FBT001
) -> None:
    """It never widens: what is not exported to its own namespace is seen by nobody then."""
    capped = Mesh(private_entries=frozenset({"abc"}))
    there = world(entry(addresses=[VIP], export_to=export_to))
    assert [takers(there, VIP, client=c, mesh=capped) == ALIAS for c in (OWN, Client("elsewhere"))] == [own, elsewhere]


def test_visibility_of_none_hides_entries_and_no_services() -> None:
    """It is about ServiceEntries alone."""
    hidden = Mesh(hidden_entries=frozenset({"abc"}))
    assert takers(world(entry(addresses=[VIP])), VIP, mesh=hidden) == NOBODY
    assert takers(world(service()), VIP, mesh=hidden) == SVC


def test_an_alias_there_is_refused_and_says_why() -> None:
    """Nobody would get it; where istiod sees its namespace nothing is said of that."""
    alias = DnsAlias.parse(make.alias("api", "api.hello", "svc", namespace="abc"))
    there = world(service(), alias)
    refused = decide_alias(there, alias.key, Rules(mesh=UNSEEN))
    assert refused is not None
    accepted = next(c for c in refused.conditions if c.type == "Accepted")
    assert (accepted.status, accepted.reason, refused.changes) == ("False", Reason.NOT_DISCOVERED, ())
    served = decide_alias(there, alias.key, Rules())
    assert served is not None
    assert [change.verb for change in served.changes] == [Verb.CREATE]


# enableAutoMtls.


def test_without_automatic_mtls_only_a_rule_asks_for_it() -> None:
    """Endpoints that say that they take it get nothing added."""
    target = entry(spec={"location": "MESH_INTERNAL", "endpoints": [endpoint(tls_mode="istio")]})
    assert sent(target, mesh=Mesh()).tls is ClientTls.BY_ENDPOINT
    found = sent(target, mesh=PLAIN)
    assert (found.tls, found.plaintext_to) == (ClientTls.PLAINTEXT, found.cluster.inline)
    assert "enableAutoMtls" in found.because
    rule = destination_rule("svc.hello", "ISTIO_MUTUAL")
    assert sent(target, rule, mesh=PLAIN).tls is ClientTls.MTLS
    assert "enableAutoMtls off" in PLAIN.assumptions()


# PILOT_ENABLE_IP_AUTOALLOCATE.


@pytest.mark.parametrize(
    ("release", "told", "expected"),
    [
        ("1.25", None, True),
        ("1.25", False, False),
        ("1.24", None, False),
        ("1.24", True, True),
        ("1.23", True, False),
    ],
)
def test_addresses_are_allocated_as_the_release_or_the_variable_says(
    release: str,
    told: bool | None,  # noqa: FBT001 (a parameter of a test)
    expected: bool,  # noqa: FBT001
) -> None:
    """It is there since 1.24, and on by default since 1.25; only for proxies that capture DNS."""
    assert allocates(Mesh(istio_version=release, dns_capture=True, ip_autoallocate=told)) is expected
    assert not allocates(Mesh(istio_version=release, ip_autoallocate=told))
