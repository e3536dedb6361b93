"""What an alias that is not served has for a remedy: a thing to do, and the word that explains it."""

import re

from dnsalias_operator.core.plan import lint
from dnsalias_operator.core.reasons import Reason
from tests.core.remedies.worlds import WORLDS, begun
from tests.scenarios.scenario import load, names
from tests.scenarios.simulated import Cluster

DO = frozenset(
    {"add", "alias", "annotate", "choose", "create", "declare", "delete", "export", "give", "in", "label", "lead"}
    | {"limit", "make", "name", "remove", "rename", "set", "take", "use"}
)
"""How a sentence begins that asks for something; "in" is for "in files, add …"."""


def test_every_remedy_says_what_to_do_and_which_reason_explains_it() -> None:
    """Of every refused alias of every scenario; the reason is the message's own, and one of the list."""
    scenarios = [(Cluster(s), s.rules) for s in map(load, names())] + [(begun(s), s.rules) for s in WORLDS.values()]
    found = [f for cluster, rules in scenarios for f in lint(cluster.snapshot(), rules) if f.code in ("DA014", "DA015")]
    assert {f.code for f in found} == {"DA014", "DA015"}
    for finding in found:
        reason = finding.message.partition(": ")[0]
        assert reason in set(Reason)
        explained = rf"`dnsalias explain {reason}` explains it"
        told = re.fullmatch(rf"(?:(.+); )?{explained}(, and says what to do)?", finding.remedy)
        assert told is not None, finding.remedy
        assert told[1] or told[2]
        if told[1] and reason != Reason.INVALID:
            assert told[1].split()[0].rstrip(",") in DO, finding.remedy
        if finding.code == "DA014" and told[1] and reason != Reason.INVALID:
            assert finding.message.endswith(told[1])
