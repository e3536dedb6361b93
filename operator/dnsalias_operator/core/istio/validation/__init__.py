"""What Istio refuses of a ServiceEntry: istiod's webhook, and the API server by Istio's CRD.

`rules` is the table of rules, `fields` what can be read at all, `names` the forms of hosts, addresses and labels.
`refused` asks all of them, `refusals` for an entry that may be in a cluster; `admitted` is a world without the entries
that no cluster can have.
"""

from dnsalias_operator.core.istio.validation.admitted import admitted, cannot_exist, refusals, refusals_in
from dnsalias_operator.core.istio.validation.refusal import By, Refusal
from dnsalias_operator.core.istio.validation.rules import refused

__all__ = ["By", "Refusal", "admitted", "cannot_exist", "refusals", "refusals_in", "refused"]
