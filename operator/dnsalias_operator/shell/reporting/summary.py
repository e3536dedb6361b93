"""One line in the log when everything has been listed: what there is, and what the operator is about to do about it."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping

from dnsalias_operator.core.outcome import Severity, refused, unfixed, withheld
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.kinds import KINDS
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot

log = logging.getLogger(__name__)


def figures(world: Snapshot, rules: Rules) -> Mapping[str, int]:
    """Objects of each kind, the writes that the plan asks for or withholds, and what is left once they are made.

    ``unfixed`` counts entries in the operator's care that stay wrong, the contained among them; ``critical`` those of
    them that take the traffic of others; ``refused`` the aliases that will not be served.
    """
    count = Counter(obj.key.kind for obj in world.objects())
    decided = plan(world, rules)
    left = unfixed(decided.entries)
    return {
        **{kind.plural: count[kind.name] for kind in KINDS.values() if count[kind.name]},
        "planned_writes": len(decided.changes),
        "withheld_writes": len(withheld(decided)),
        "unfixed": len(left),
        "critical": sum(entry.severity is Severity.CRITICAL for entry in left),
        "refused": len(refused(decided)),
    }


def report(world: Snapshot, rules: Rules, seconds: float) -> None:
    """Log the figures of the world as it is now; ``seconds`` is how long it took to list it.

    They are computed aside: neither work nor probes nor a stop wait for a line in the log.
    """
    as_it_is = Snapshot(world.objects(), namespaces_known=world.namespaces_known)
    threading.Thread(target=_tell, args=(as_it_is, rules, seconds), name="summary", daemon=True).start()


def _tell(world: Snapshot, rules: Rules, seconds: float) -> None:
    try:
        fields = {**figures(world, rules), "seconds": round(seconds, 1)}
    except Exception:
        log.exception("a bug", extra={"fields": {"part": "summary"}})
    else:
        log.info("synced: everything has been listed", extra={"fields": fields})
