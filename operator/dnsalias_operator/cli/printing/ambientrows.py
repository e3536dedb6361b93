"""What ztunnel makes of calls, as rows of a table and as JSON."""

from dnsalias_operator.cli.terminal import clean
from dnsalias_operator.core.istio.ambient import Answer, Call, Name, Way
from dnsalias_operator.core.istio.ambient.assumed import NOWHERE
from dnsalias_operator.core.istio.ambient.calls import End

COLUMNS = ("ADDRESS", "PORT", "HOST", "WAY", "TO", "FROM")
EVERY_PORT = "all"


def cells_of(call: Call) -> list[tuple[str, ...]]:
    """A row for each record that may get the call."""
    port = EVERY_PORT if call.port is None else str(call.port)
    return [
        (
            clean(call.address),
            port,
            clean(answer.record.hostname) if answer.record else "",
            f"{way_of(answer)}{' (by chance)' * call.by_chance}",
            to_of(answer),
            clean(answer.record.owner) if answer.record else "",
        )
        for answer in call.answers
    ]


def to_of(answer: Answer) -> str:
    """Where it goes, in words."""
    if answer.waypoint is not None:
        return clean(answer.waypoint.hostname or answer.waypoint.address)
    return ", ".join(dict.fromkeys(clean(_end(end)) for end in answer.ends)) or clean(answer.why)


def as_dict(call: Call) -> dict[str, object]:
    """The machine form; ``port`` is null where all ports are alike."""
    return {
        "address": call.address,
        "port": call.port,
        "byChance": call.by_chance,
        "answers": [answer_as_dict(answer) for answer in call.answers],
    }


def name_as_dict(name: Name) -> dict[str, object]:
    """The machine form; without addresses the cluster's DNS is asked."""
    return {"host": name.host, "addresses": list(name.addresses)}


def answer_as_dict(answer: Answer) -> dict[str, object]:
    """The machine form of one of the possible ends."""
    record = answer.record
    owner = record.owner if record else None
    waypoint = answer.waypoint
    return {
        "host": record.hostname if record else None,
        "kind": owner.kind if owner else None,
        "namespace": owner.namespace if owner else None,
        "name": owner.name if owner else None,
        "way": str(answer.way),
        "waypoint": (waypoint.hostname or waypoint.address) if waypoint else None,
        "to": [_end(end) for end in answer.ends],
        "why": answer.why,
    }


def way_of(answer: Answer) -> str:
    """How it leaves, in words."""
    return "HBONE, by its waypoint" if answer.way is Way.WAYPOINT else str(answer.way)


def _end(end: End) -> str:
    if end.host == NOWHERE:
        return f"pods {end.workload.name} port {end.port}"
    return f"{f'[{end.host}]' if ':' in end.host else end.host}:{end.port}"
