"""What `dnsalias verify` found, for programs."""

from collections.abc import Mapping
from typing import Any

from dnsalias_operator.cli.printing.rows import as_dict
from dnsalias_operator.cli.printing.verified import Verified, explained
from dnsalias_operator.core.advice.verify import Claimed, ClusterDifference, Explanation, PortDifference
from dnsalias_operator.core.istio.listeners import Row


def as_document(one: Verified) -> dict[str, Any]:
    """The outcome for programs."""
    proxy, verdict, why = one.seen.proxy, one.verdict, one.explanation
    return {
        "source": one.source,
        "pod": {"namespace": proxy.namespace, "name": proxy.name} if proxy else None,
        "namespace": one.client.namespace,
        "release": proxy.release if proxy else "",
        "cluster": proxy.cluster if proxy else "",
        "network": proxy.network if proxy else "",
        "settings": one.mesh.model_dump(mode="json"),
        "agrees": one.agrees,
        "ports": len(verdict.ports),
        "agreed": verdict.agreed,
        "differences": [_port_as_dict(d) for d in verdict.differences],
        "notCompared": [_port_as_dict(d) for d in verdict.not_compared],
        "byChance": list(verdict.by_chance),
        "listenersOfPods": [as_dict(row) for row in verdict.of_pods],
        "clusters": [_cluster_as_dict(c) for c in one.clusters] if one.clusters is not None else None,
        "explanation": _explanation_as_dict(why) if why else None,
        "refused": list(one.seen.refused),
        "notes": list(one.notes),
    }


def _port_as_dict(one: PortDifference) -> dict[str, Any]:
    return {
        "port": one.port,
        "envoy": [as_dict(row) for row in one.envoy],
        "predicted": [_predicted(row) for row in one.predicted],
        "both": [_predicted(row) for row in one.both],
        "claimedBy": [_claimed_as_dict(c) for c in one.claimed],
        "lost": [{"loser": str(x.loser), "winner": str(x.winner), "bind": x.bind} for x in one.lost],
        "rules": list(one.rules),
        "unread": list(one.unread),
        "notModelled": list(one.not_modelled),
    }


def _predicted(row: Row) -> dict[str, Any]:
    return {**as_dict(row), "owner": str(row.owner) if row.owner else None}


def _claimed_as_dict(one: Claimed) -> dict[str, Any]:
    return {
        "kind": one.key.kind,
        "namespace": one.key.namespace,
        "name": one.key.name,
        "protocols": list(one.protocols),
        "hosts": list(one.hosts),
        "addresses": list(one.addresses),
        "autoAddresses": list(one.auto_addresses),
        "resolution": one.resolution,
        "exportTo": list(one.export_to),
        "given": one.given,
    }


def _cluster_as_dict(one: ClusterDifference) -> Mapping[str, str]:
    return {"name": one.name, "envoy": one.envoy, "predicted": one.predicted, "because": one.because}


def _explanation_as_dict(why: Explanation) -> dict[str, Any]:
    others = [{name: _plain(value)} for name, value in why.others]
    settings = {name: _plain(value) for name, value in why.settings.items()}
    return {"settings": settings, "agree": why.agreed, "of": why.ports, "others": others, "message": explained(why)}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
