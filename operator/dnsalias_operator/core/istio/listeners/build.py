"""Puts listeners together, claim by claim, in the order istiod serves them.

Source: the second half of buildSidecarOutboundListener, mergeTCPFilterChains, isConflictWithWellKnownPort and
buildListenerFromEntry in pilot/pkg/networking/core/listener.go; buildOutboundCatchAllNetworkFiltersOnly in
pilot/pkg/networking/core/listener_builder.go.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from dnsalias_operator.core.istio.listeners.chains import Chain, Match, http_chain, tcp_chain
from dnsalias_operator.core.istio.listeners.claims import Claim
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, Listener, Loss, Row
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of
from dnsalias_operator.model.mesh import Mesh
from dnsalias_operator.model.names import Key

EXCLUSIVE = frozenset({Protocol.MONGO, Protocol.MYSQL})
"""Server-first protocols with a filter of their own: they share a listener with their like only."""


@dataclass(slots=True)
class _Draft:
    """A listener in the making. ``protocol`` is what istiod takes it for: UNSET once plaintext HTTP is sniffed.

    ``locked`` once it belongs to an egress listener with a port: later ones add nothing to it. ``joined`` are those who
    have asked for it before.
    """

    binds: tuple[str, ...]
    port: int
    creator: Key
    protocol: Protocol
    chains: dict[Match, Chain]
    losers: dict[Key, Key] = field(default_factory=dict)
    locked: bool = False
    joined: set[Key] = field(default_factory=set)

    def lose(self, loser: Key, winner: Key) -> None:
        """Note that ``loser`` has no, or not every, chain of its own; a service that meets itself loses nothing."""
        if loser != winner:
            self.losers.setdefault(loser, winner)


Batches = Iterable[tuple[Egress, Iterable[Claim]]]
"""One batch is one egress listener with its claims in the order of `order.in_order`."""


def build(batches: Batches, fall_through: str, mesh: Mesh) -> tuple[Listener, ...]:
    """The listeners that those claims yield, sorted by bind and port.

    ``fall_through`` is the cluster for what matches no chain.
    """
    drafts = _drafts(batches, mesh)
    finished = (_finish(drafts[socket], fall_through) for socket in sorted(drafts))
    return tuple(listener for listener in finished if listener)


def refused(batches: Batches, mesh: Mesh) -> dict[Key, str]:
    """The objects for which a starting Envoy refuses a listener of those claims as a whole, each with the reason."""
    return {owner: why for draft in _drafts(batches, mesh).values() for owner, why in _refusals(draft)}


def _drafts(batches: Batches, mesh: Mesh) -> dict[tuple[str, int], _Draft]:
    drafts: dict[tuple[str, int], _Draft] = {}
    for egress, claims in batches:
        for draft in drafts.values():
            draft.locked = draft.locked or egress.port is None
        for claim in claims:
            socket, key = (claim.bind, claim.port), claim.upstream.key
            present = drafts.get(socket)
            if present is None or not present.locked:
                drafts[socket] = _add(present, claim, mesh)
                drafts[socket].joined.add(key)
            elif key not in present.joined:
                present.lose(key, present.creator)
    return drafts


def _add(draft: _Draft | None, claim: Claim, mesh: Mesh) -> _Draft:
    """The listener with the claim in it: one of its own, a chain more, routes of what is there, or nothing."""
    if draft is None:
        return _new(claim, mesh)
    port_class, current = claim.port_class, class_of(draft.protocol)
    current_http = current in (PortClass.HTTP, PortClass.HTTP_PROXY)
    if port_class is PortClass.HTTP_PROXY and not mesh.since(1, 20):
        return _merge(draft, _chains(claim, mesh))
    if port_class is PortClass.HTTP_PROXY or (port_class is PortClass.UNSET and current_http):
        return _displace(draft, claim, mesh)
    if port_class is PortClass.HTTP and current in (PortClass.UNSET, PortClass.HTTP, PortClass.HTTP_PROXY):
        return draft  # its virtual hosts join the routes that are there
    if port_class is PortClass.UNSET and current is PortClass.UNSET:
        return _sniffed_over_sniffed(draft, claim, mesh)
    return _mix(draft, claim, mesh)


def _sniffed_over_sniffed(draft: _Draft, claim: Claim, mesh: Mesh) -> _Draft:
    """The younger of two sniffed ports has nothing; since 1.32 its TCP chain is added (source: listener.go there)."""
    if mesh.since(1, 32):
        return _merge(draft, [tcp_chain(claim, mesh)])
    draft.lose(claim.upstream.key, draft.creator)
    return draft


def _mix(draft: _Draft, claim: Claim, mesh: Mesh) -> _Draft:
    """Add the chains of a port; where HTTP meets TCP the listener is a sniffed one from then on."""
    if claim.protocol is not draft.protocol and {claim.protocol, draft.protocol} & EXCLUSIVE:
        draft.lose(claim.upstream.key, draft.creator)
        return draft
    http = claim.port_class is PortClass.HTTP or class_of(draft.protocol) in (PortClass.HTTP, PortClass.HTTP_PROXY)
    chains = _chains(claim, mesh)
    if http and not mesh.since(1, 20):
        draft.chains = {chain.match: chain for chain in map(_of_plaintext, draft.chains.values())}
        chains = [_of_plaintext(chain) for chain in chains]
    _merge(draft, chains)
    if http or claim.port_class is PortClass.UNSET:
        draft.protocol = Protocol.UNSET
    return draft


def _of_plaintext(chain: Chain) -> Chain:
    """The chain where HTTP and TCP meet before 1.20: one for routes then matches plaintext HTTP only.

    Source: mergeFilterChains in networking/core/v1alpha3/listener.go at 1.19.0.
    """
    return replace(chain, http=True) if chain.route else chain


def _merge(draft: _Draft, chains: list[Chain]) -> _Draft:
    """Add those of the chains whose match is not there yet."""
    for chain in chains:
        draft.lose(chain.owner, draft.chains.setdefault(chain.match, chain).owner)
    return draft


def _new(claim: Claim, mesh: Mesh) -> _Draft:
    # On the wildcard address an HTTP listener has its fall-through beside it and so counts as sniffed.
    sniffed = claim.port_class is PortClass.HTTP and claim.bind == WILDCARD
    protocol = Protocol.UNSET if sniffed else claim.protocol
    chains = {chain.match: chain for chain in _chains(claim, mesh)}
    return _Draft((claim.bind, *claim.extra), claim.port, claim.upstream.key, protocol, chains)


def _displace(draft: _Draft, claim: Claim, mesh: Mesh) -> _Draft:
    """HTTP_PROXY never looks at what is there, and a sniffed port overwrites an HTTP_PROXY one."""
    new = _new(claim, mesh)
    routes = {c.route for c in new.chains.values() if c.route}
    losers = [*draft.losers, *(c.owner for c in draft.chains.values() if c.route not in routes)]
    for loser in losers:
        new.lose(loser, new.creator)
    return new


def _chains(claim: Claim, mesh: Mesh) -> list[Chain]:
    match claim.port_class:
        case PortClass.HTTP | PortClass.HTTP_PROXY:
            return [http_chain(claim)]
        case PortClass.UNSET:
            return [tcp_chain(claim, mesh), http_chain(claim)]
        case _:
            return [tcp_chain(claim, mesh)]


def _refusals(draft: _Draft) -> Iterator[tuple[Key, str]]:
    """Why a starting Envoy refuses the listener as a whole, with the object that is to blame.

    Envoy accepts wildcards in server_names as a whole leading label only, Istio also such hosts as `*api.example.com`
    (source: the comments on FilterChainMatch in Envoy's listener_components.proto); and it binds no CIDR.
    """
    for chain in draft.chains.values():
        for name in chain.sni:
            if name.startswith("*") and not name.startswith("*."):
                yield chain.owner, f"{name} is no name that it can match by SNI: *. is the only wildcard"
    for bind in draft.binds:
        if "/" in bind:
            yield draft.creator, f"{bind} is no address that it can bind, and stands beside {draft.binds[0]}"


def _finish(draft: _Draft, fall_through: str) -> Listener | None:
    """The listener with its default chain, or None where a starting Envoy refuses it as a whole.

    An Envoy that holds an earlier version of the listener goes on with that one.
    """
    chains = draft.chains.values()
    if any(_refusals(draft)):
        return None
    bind = draft.binds[0]
    rows = [chain.row(bind, draft.port, default=False) for chain in chains if not chain.match_all]
    default = next((chain for chain in chains if chain.match_all), None)
    if default:
        rows.append(default.row(bind, draft.port, default=bool(rows)))
    else:
        rows.append(Row(bind, draft.port, True, (), (), False, fall_through, None))
    rows.sort(key=lambda r: (r.default, r.cidr, r.sni, r.http, r.cluster or "", r.route or ""))
    lost = (Loss(loser, draft.port, bind, winner) for loser, winner in sorted(draft.losers.items()))
    return Listener(draft.binds, draft.port, tuple(rows), tuple(lost))
