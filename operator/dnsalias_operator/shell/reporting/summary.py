"""One line in the log when everything has been listed: what there is, and what the operator is about to do about it."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping

from dnsalias_operator.core.outcome import Severity, State
from dnsalias_operator.core.plan import plan
from dnsalias_operator.model.rules import Rules
from dnsalias_operator.model.snapshot import Snapshot
from dnsalias_operator.shell.api.client import PLURALS

log = logging.getLogger(__name__)


def figures(world: Snapshot, rules: Rules) -> Mapping[str, int]:
    """Objects of each kind, the writes that the plan asks for or withholds, and what is left once they are made.

    ``unfixed`` counts entries in the operator's care that stay wrong, the contained among them; ``critical`` those of
    them that take the traffic of others; ``refused`` the aliases that will not be served.
    """
    kinds = Counter(obj.key.kind for obj in world.objects())
    decided = plan(world, rules)
    unfixed = [entry for entry in decided.entries if entry.state in (State.UNFIXED, State.CONTAINED)]
    return {
        **{plural: kinds[kind] for kind, plural in PLURALS.items() if kinds[kind]},
        "planned_writes": len(decided.changes),
        "withheld_writes": sum(len(entry.withheld) for entry in decided.entries),
        "unfixed": len(unfixed),
        "critical": sum(entry.severity is Severity.CRITICAL for entry in unfixed),
        "refused": sum(any(c.status == "False" for c in alias.conditions) for alias in decided.aliases),
    }


def tell(world: Snapshot, rules: Rules, seconds: float) -> None:
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
