"""What the reasons of entries ask for: the message of a decision."""

from tests.core.remedies import around as r
from tests.core.remedies import entries as e
from tests.core.remedies.rule import Rule, rule

TAKES = r"(?:with the clusterIP|by spec\.addresses \[.*\], which its owner set), ServiceEntry \S+ (?:would )?"
REMAINS = r"(?:; and (?:it is not contained: .*|no address is free in \S+)|; it keeps .*)?"

OF_ENTRIES: tuple[Rule, ...] = (
    rule(r"AddressSetByOwner: .*; remove it there", e.remove_addresses),
    rule(r"AddressSetByOwner: .*; list there the addresses that its clients dial", e.list_outside_addresses),
    rule(r"AddressUnknown: .* has no clusterIP(?: yet)?; in files, add spec\.clusterIPs .*", r.service_gets_address),
    rule(r"AmbientClients: .*; declare a DnsAlias instead, which gets an address of its own", r.declare_alias),
    rule(
        r"AmbientClients: .*; delete the ServiceEntry and create it again without .*, or declare a DnsAlias instead",
        e.recreate_without_addresses,
        r.declare_alias,
    ),
    rule(
        r"AmbiguousService: host (?P<host>\S+) does not say .*; give it an entry of its own, or annotate .*",
        r.own_entry_for_host,
        e.annotate_service,
    ),
    rule(r"AmbiguousService: it.*; annotate (?:it )?dnsalias\.io/service: <name>", e.annotate_service),
    rule(
        r"HttpProxyUnsupported: .*; give the port in the ServiceEntry the protocol TCP, or take it out",
        e.to_tcp,
        e.take_proxy_port_out,
    ),
    rule(r"NotReadHere: .*; declare it there instead, and delete it here", e.delete),
    rule(r"NoService: .*; annotate it dnsalias\.io/service: <name>", e.annotate_service),
    rule(
        r"OutsideMesh: .*; list its real addresses in .*, or give its ports the protocol TLS .*",
        e.list_outside_addresses,
        e.all_tls,
        e.annotate_service,
    ),
    rule(
        r"PlaintextEndpoints: sidecars call .*; set location MESH_INTERNAL, resolution STATIC and .*, or delete .*",
        e.pods_of_service,
        r.declare_alias,
    ),
    rule(
        rf"ProtocolMismatch: {TAKES}.*; give the port in the ServiceEntry the Service port's protocol{REMAINS}",
        e.protocol_of_service,
    ),
    rule(r"ReadInOtherClusters: .*; declare a DnsAlias instead, which gets an address of its own", r.declare_alias),
    rule(
        r"ServiceHasNoAddress: .*; annotate the entry dnsalias\.io/service: <name> of a Service with a clusterIP",
        e.annotate_service,
    ),
    rule(
        r"ServiceNotFound: Service (?P<namespace>\S*)/(?P<name>[^/]*) does not exist; create it, or annotate .*",
        r.create_named_service,
        e.annotate_service,
    ),
    rule(r"ServiceNotFound: .* does not exist; annotate the entry .* of one that does", e.annotate_service),
    rule(
        r"TargetPortNotOnService: port (?P<port>\d+) .*; take targetPort out, or give .* a port (?P<target>\d+)",
        e.without_target_port,
        r.service_gets_port,
    ),
    rule(r"TargetPortNotOnService: port (?P<port>\d+) .*; set its targetPort to (?P<target>\d+)", e.set_target_port),
    rule(
        r"WouldCatchAll: a Sidecar of namespace (?P<namespace>\S+) takes port (?P<port>\d+) for bytes, .*",
        r.http_at_sidecar,
    ),
    rule(
        rf"WouldShadowService: {TAKES}shares? .*; set location MESH_INTERNAL, resolution STATIC and .*, or delete .*",
        e.pods_of_service,
        r.declare_alias,
    ),
    rule(
        rf"WouldShadow\w+: {TAKES}share .*; take the HTTP ports to an entry of their own, .*{REMAINS}",
        r.own_entry_for_http,
    ),
    rule(
        rf"WouldShadowEntry: {TAKES}take .* from ServiceEntry (?P<other>\S+).*; "
        r"take port (?P<port>\d+) out of one of the two",
        e.take_port_out,
        r.take_port_out_of_other,
    ),
    rule(
        rf"WouldShadowService: {TAKES}takes? .*; "
        r"delete and recreate the ServiceEntry \(it must be younger\) exported to '\*'"
        r"(?: with spec\.addresses (?P<with>\[.*?\]))?, or declare .*",
        e.recreate_for_all,
        r.declare_alias,
    ),
    rule(
        r"WouldShadowService: it selects the pods .*; delete and recreate the ServiceEntry .*, or declare a DnsAlias",
        e.recreate,
        r.declare_alias,
    ),
    rule(rf"WouldShadowService: {TAKES}takes? .*; list an address that no Service has instead", e.other_address),
    rule(
        rf"WouldShadowService: {TAKES}take .*\(seen from (?:any )?namespace ?(?P<seen>\S*)\).*; "
        r"import or export both, or lead the entry to the Service .*",
        r.import_both,
        e.lead_to_service,
    ),
    rule(
        rf"WouldCutOffCallers: with the clusterIP, .*; list .* what the host resolves to for its clients{REMAINS}",
        e.list_outside_addresses,
    ),
    rule(
        rf"WouldCutOffCallers: with the clusterIP, .*; "
        rf"list in spec\.addresses what the host resolves to, or use .*{REMAINS}",
        e.list_outside_addresses,
        e.other_host,
    ),
    rule(rf"WouldCutOffCallers: .*; declare a DnsAlias instead, and delete the entry{REMAINS}", r.declare_alias),
    rule(r"WouldCutOffCallers: .*; give port (?P<port>\d+) an entry of its own", r.own_entry_for_port),
    rule(
        r"UncoversCatchAll: ServiceEntry (?P<namespace>\S+)/(?P<name>\S+) is a catch-all .*; fix ServiceEntry .* first",
        e.fix_the_one_behind,
    ),
    rule(
        r"NotRepairable: .*",
        why="the text names no edit but that there is one at the source: what depends on the entry",
    ),
)
