"""Ambient mode: who is in it, what istiod tells ztunnel of a world, and what ztunnel makes of a client's call.

`clients` says which namespaces are in it. `services` and `workloads` make the `records`, `waypoints` finds the waypoint
of each; `slots` says which of several records on one address ztunnel has; `calls` follows a call, `names` a name,
and `table` lists all of them. `assumed` stands in for pods that are not read.

Held against the records of a real istiod and the calls of a real ztunnel by tests/core/test_ambient_records.py and
tests/core/test_ambient_calls.py, and against istiod's own code over random worlds by tests/core/test_ambient_random.py.

Limits. One cluster and one network; WorkloadEntries and EndpointSlices, AuthorizationPolicies, weighted waypoints, the
balancing of calls, locality and trust domains are not modelled. What a waypoint does with a call is not followed.
"""

from dnsalias_operator.core.istio.ambient.assumed import assumed_pods
from dnsalias_operator.core.istio.ambient.calls import Answer, Way, answers, prefix_around
from dnsalias_operator.core.istio.ambient.clients import ambient_clients, has_sidecars, in_ambient_mode, may_be_ambient
from dnsalias_operator.core.istio.ambient.names import captures_dns, resolved
from dnsalias_operator.core.istio.ambient.records import (
    GatewayAddress,
    PortRecord,
    Records,
    ServiceRecord,
    WorkloadRecord,
)
from dnsalias_operator.core.istio.ambient.services import records_at, service_records
from dnsalias_operator.core.istio.ambient.slots import Slots, chosen, told
from dnsalias_operator.core.istio.ambient.table import Call, Name, calls_from, names_for
from dnsalias_operator.core.istio.ambient.waypoints import Waypoint, asked_waypoint, waypoint_of
from dnsalias_operator.core.istio.ambient.workloads import Pod, records_of

__all__ = [
    "Answer",
    "Call",
    "GatewayAddress",
    "Name",
    "Pod",
    "PortRecord",
    "Records",
    "ServiceRecord",
    "Slots",
    "Way",
    "Waypoint",
    "WorkloadRecord",
    "ambient_clients",
    "answers",
    "asked_waypoint",
    "assumed_pods",
    "calls_from",
    "captures_dns",
    "chosen",
    "has_sidecars",
    "in_ambient_mode",
    "may_be_ambient",
    "names_for",
    "prefix_around",
    "records_at",
    "records_of",
    "resolved",
    "service_records",
    "told",
    "waypoint_of",
]
