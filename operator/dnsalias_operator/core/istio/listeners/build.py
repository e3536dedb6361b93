"""Puts listeners together, claim by claim, in the order istiod serves them.

Source: the second half of buildSidecarOutboundListener, mergeTCPFilterChains, isConflictWithWellKnownPort and
buildListenerFromEntry in pilot/pkg/networking/core/listener.go; buildOutboundCatchAllNetworkFiltersOnly in
pilot/pkg/networking/core/listener_builder.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dnsalias_operator.core.istio.listeners.chains import Chain, Match, http_chain, tcp_chain
from dnsalias_operator.core.istio.listeners.claims import Claim
from dnsalias_operator.core.istio.listeners.rows import WILDCARD, Listener, Loss, Row
from dnsalias_operator.core.istio.listeners.scope import Egress
from dnsalias_operator.core.istio.protocols import PortClass, Protocol, class_of
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


def build(batches: Iterable[tuple[Egress, Iterable[Claim]]], fall_through: str) -> tuple[Listener, ...]:
    """The listeners that those claims yield, sorted by bind and port.

    One batch is one egress listener with its claims in the order of `visible.in_order`; ``fall_through`` is the cluster
    for what matches no chain.
    """
    drafts = _drafts(batches)
    finished = (_finish(drafts[socket], fall_through) for socket in sorted(drafts))
    return tuple(listener for listener in finished if listener)


def refused_names(batches: Iterable[tuple[Egress, Iterable[Claim]]]) -> dict[Key, str]:
    """The SNI name of each object for which a starting Envoy refuses a listener of those claims as a whole."""
    chains = (chain for draft in _drafts(batches).values() for chain in draft.chains.values())
    return {chain.owner: name for chain in chains for name in chain.sni if _partial(name)}


def _drafts(batches: Iterable[tuple[Egress, Iterable[Claim]]]) -> dict[tuple[str, int], _Draft]:
    drafts: dict[tuple[str, int], _Draft] = {}
    for egress, claims in batches:
        for draft in drafts.values():
            draft.locked = draft.locked or egress.port is None
        for claim in claims:
            socket, key = (claim.bind, claim.port), claim.upstream.key
            present = drafts.get(socket)
            if present is None or not present.locked:
                drafts[socket] = _add(present, claim)
                drafts[socket].joined.add(key)
            elif key not in present.joined:
                present.lose(key, present.creator)
    return drafts


def _add(draft: _Draft | None, claim: Claim) -> _Draft:
    if draft is None:
        return _new(claim)
    key, port_class, current = claim.upstream.key, claim.port_class, class_of(draft.protocol)
    current_http = current in (PortClass.HTTP, PortClass.HTTP_PROXY)
    if port_class is PortClass.HTTP_PROXY or (port_class is PortClass.UNSET and current_http):
        return _displace(draft, claim)
    if port_class is PortClass.HTTP and current in (PortClass.UNSET, PortClass.HTTP, PortClass.HTTP_PROXY):
        return draft  # its virtual hosts join the routes that are there
    if port_class is PortClass.UNSET and current is PortClass.UNSET:
        draft.lose(key, draft.creator)
        return draft
    if claim.protocol is not draft.protocol and {claim.protocol, draft.protocol} & EXCLUSIVE:
        draft.lose(key, draft.creator)
        return draft
    for chain in _chains(claim):
        draft.lose(key, draft.chains.setdefault(chain.match, chain).owner)
    if port_class in (PortClass.HTTP, PortClass.UNSET) or current_http:
        draft.protocol = Protocol.UNSET
    return draft


def _new(claim: Claim) -> _Draft:
    # On the wildcard address an HTTP listener has its fall-through beside it and so counts as sniffed.
    sniffed = claim.port_class is PortClass.HTTP and claim.bind == WILDCARD
    protocol = Protocol.UNSET if sniffed else claim.protocol
    return _Draft(
        (claim.bind, *claim.extra), claim.port, claim.upstream.key, protocol, {c.match: c for c in _chains(claim)}
    )


def _displace(draft: _Draft, claim: Claim) -> _Draft:
    """HTTP_PROXY never looks at what is there, and a sniffed port overwrites an HTTP_PROXY one."""
    new = _new(claim)
    routes = {c.route for c in new.chains.values() if c.route}
    losers = [*draft.losers, *(c.owner for c in draft.chains.values() if c.route not in routes)]
    for loser in losers:
        new.lose(loser, new.creator)
    return new


def _chains(claim: Claim) -> list[Chain]:
    match claim.port_class:
        case PortClass.HTTP | PortClass.HTTP_PROXY:
            return [http_chain(claim)]
        case PortClass.UNSET:
            return [tcp_chain(claim), http_chain(claim)]
        case _:
            return [tcp_chain(claim)]


def _partial(name: str) -> bool:
    return name.startswith("*") and not name.startswith("*.")


def _finish(draft: _Draft, fall_through: str) -> Listener | None:
    """The listener with its default chain, or None where a starting Envoy refuses it as a whole.

    Envoy accepts wildcards in server_names as a whole leading label only, Istio also such hosts as `*api.example.com`
    (source: the comments on FilterChainMatch in Envoy's listener_components.proto). An Envoy that holds an earlier
    version of the listener goes on with that one.
    """
    chains = draft.chains.values()
    if any(_partial(name) for chain in chains for name in chain.sni):
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
