"""Remedies that findings have of their own."""

from tests.core.remedies import aliases as a
from tests.core.remedies import around as r
from tests.core.remedies import corrections as c
from tests.core.remedies import entries as e
from tests.core.remedies import mesh as m
from tests.core.remedies.rule import Rule, rule

FIELDS = (
    r"set spec\.(?:addresses to (?P<addresses>\[.*?\])(?: and spec\.|, an address that nobody has)?)?"
    r"(?:endpoints to (?P<endpoints>\[.*\]))?"
)

OF_FINDINGS: tuple[Rule, ...] = (
    rule(
        rf"the operator does it(?: once foreign_entries is patch)?: see `dnsalias plan`, or {FIELDS}",
        e.operate,
        e.set_fields,
    ),
    rule(FIELDS, e.set_fields),
    rule(r"set spec\.endpoints to \['\S+'\], and take targetPort out of its ports", e.lead_to_service),
    rule(r"set spec\.endpoints to what its hosts stand for", e.lead_outside),
    rule(
        rf'annotate it dnsalias\.io/repair: "true" and let the operator do it, or {FIELDS}',
        e.ask_operator,
        e.set_fields,
    ),
    rule(
        r"annotate it dnsalias\.io/service: <name>(?: and dnsalias\.io/repair: \"true\")? if it stands for a Service, "
        r"else list in spec\.addresses the addresses that its clients dial",
        e.annotate_service,
        e.list_outside_addresses,
    ),
    rule(
        r"list its real addresses in spec\.addresses, or give the port the protocol TLS if its clients speak TLS: .*",
        e.list_outside_addresses,
        e.all_tls,
    ),
    rule(
        r"no address helps an HTTP_PROXY port: give it the protocol TCP and an address, take it out, or export .*",
        e.tcp_and_address,
        e.take_proxy_port_out,
        e.hide,
    ),
    rule(
        r"a Sidecar of namespace (?P<namespace>\S+) takes port (?P<port>\d+) for bytes: give that egress port .* HTTP",
        r.http_at_sidecar,
    ),
    rule(
        r"give the port in .* protocol of the Service's port, or list .* an address that no Service has instead",
        e.protocol_of_service,
        e.other_address,
    ),
    rule(
        r"lead the entry to the Service \(endpoints: .*\), or delete it and declare a DnsAlias instead",
        e.lead_to_service,
        r.declare_alias,
    ),
    rule(r"delete the ServiceEntry once: the operator creates it again, .*", e.delete_once),
    rule(
        r"delete and recreate the ServiceEntry so that .*; or declare a DnsAlias instead",
        e.recreate_for_all,
        r.declare_alias,
    ),
    rule(r"remove the clusterIP from spec\.addresses; HTTP ports .*", e.take_shared_addresses_out),
    rule(r"remove spec\.addresses and let the operator fill it in: .*", e.remove_addresses_and_operate),
    rule(
        r'annotate it dnsalias\.io/repair: "true", remove spec\.addresses and let the operator .*',
        e.remove_addresses_and_ask,
    ),
    rule(r"delete it and declare a DnsAlias instead", r.declare_alias),
    rule(r"list in spec\.addresses the addresses that its clients dial", e.list_outside_addresses),
    rule(r"keep one of the claims, or export them to .*", r.keep_this_claim, r.keep_another_claim, r.claim_at_home),
    rule(r"use a host that is no Service's name and not under the cluster domain", e.other_host),
    rule(r"list single addresses that no Service has instead of .*", e.list_single_addresses),
    rule(r"create the Service or correct the endpoint: .*", r.create_endpoint_service, e.correct_endpoint),
    rule(r"remove the port from the ServiceEntry", e.take_port_out),
    rule(r"remove the port from the ServiceEntry, or add it to the Service", e.take_port_out, r.service_gets_port),
    rule(r"delete the ServiceEntry if its DnsAlias is gone for good; .*", e.delete),
    rule(
        r"give the entry the Service's own pods \(.*\), or delete it and declare a DnsAlias",
        e.pods_of_service,
        r.declare_alias,
    ),
    rule(
        r"give the port protocol HTTP or TLS, or its host a DestinationRule with TLS",
        e.to_protocol("HTTP"),
        e.to_protocol("TLS"),
        r.tls_by_rule,
    ),
    rule(
        r"use resolution DNS, or keep one entry with one endpoint for the host",
        r.resolution_dns,
        r.host_to_one_entry_of_dns,
    ),
    rule(
        r"write the wildcard as a whole label .*, or give the entry an address of its own",
        e.whole_label,
        e.list_outside_addresses,
    ),
    rule(r"list the Service's first clusterIP only", e.first_address_only),
    rule(
        r"list in spec\.addresses an address that no Service of any cluster has, or .* declare a DnsAlias .*",
        e.own_address,
        r.declare_alias,
    ),
    rule(r"delete it here, copy no ServiceEntries with .*, and declare the DnsAlias in this cluster", e.delete),
    rule(r"add the alias' host to the hosts of the gateway's server with tls\.mode AUTO_PASSTHROUGH, .*", r.let_pass),
    rule(r"delete the ServiceEntry and create it again with an address that no Service has; .*", e.recreate_elsewhere),
    rule(r"delete the ServiceEntry and create it again with an address that nobody else has; .*", e.recreate_elsewhere),
    rule(
        r"move the entry to namespace (?P<namespace>\S+), or delete it and declare a DnsAlias there",
        r.to_namespace,
        r.declare_alias,
    ),
    rule(
        r"add \{group: networking\.istio\.io, kind: ServiceEntry, name: (?P<name>\S+)\} to spec\.targetRefs of "
        r"AuthorizationPolicy (?P<policy>\S+)",
        r.attach_to_entry,
    ),
    rule(r"label it (?P<labels>istio\.io/use-waypoint: \S+(?:, istio\.io/use-waypoint-namespace: \S+)?)", e.label),
    rule(
        r"list in spec\.addresses an address that the other .* does not have, or give one of the two another port",
        e.own_address,
        e.other_port,
    ),
    rule(
        r"take spec\.addresses out of both, so that their TLS is matched by SNI, or list an address that .*",
        r.both_without_address,
        e.own_address,
    ),
    rule(r"use a host that is no Service's name", e.other_host),
    rule(r"put its ports into that entry, or give it another host", r.ports_into_first, e.other_host),
    rule(r"put the ports of all of them into one entry", r.ports_into_one),
    rule(
        r"put the ports of all of them into one entry, or list the same spec\.addresses in each",
        r.ports_into_one,
        r.same_addresses,
    ),
    rule(
        r"put the endpoints of all of them into one entry, or give each another host",
        r.endpoints_into_one,
        e.other_host,
    ),
    rule(r"give each another host, or a namespace of its own", e.other_host, r.other_namespace),
    rule(r"list spec\.endpoints, or set a workloadSelector", e.list_endpoints, e.select_pods),
    rule(
        r"take targetPort and the endpoints' ports of port (?P<port>\d+) out, so that Service \S+ is called at \d+, or "
        r"add port (?P<target>\d+) to Service \S+",
        e.without_target_port,
        r.behind_gets_port,
    ),
    rule(
        r"take targetPort and the endpoints' ports of port (?P<port>\d+) out, so that Service \S+ is called at \d+",
        e.without_target_port,
    ),
    rule(
        r"set targetPort of port (?P<port>\d+) to one that Service \S+ has, such as (?P<to>\d+), or add port "
        r"(?P<target>\d+) to Service \S+",
        e.target_of_service,
        r.behind_gets_port,
    ),
    rule(
        r"set targetPort of port (?P<port>\d+) to one that Service \S+ has, such as (?P<to>\d+)",
        e.target_of_service,
    ),
    rule(
        r"remove port (?P<port>\d+) from the ServiceEntry, or add port (?P<target>\d+) to Service \S+",
        e.take_port_out,
        r.behind_gets_port,
    ),
    rule(
        r"delete it and give Service (?P<service>\S+) type ExternalName, or use a host that is no Service's name",
        r.external_name_instead,
        e.other_host,
    ),
    rule(r"correct the fields that the message names", c.correct_fields),
    rule(
        r"create a DestinationRule with the same trafficPolicy for host (?P<host>\S+) as well",
        a.rule_of_the_service_for_the_host,
    ),
    rule(r"run the operator, or apply what `dnsalias render` prints", lambda b, _: b.operate()),
    rule(r"add (?P<host>\S+) to spec\.hosts of VirtualService (?P<rule>\S+)", a.host_into_routes),
    rule(
        r"choose another host for the alias, or take the gateway mesh out of the VirtualService",
        e.other_host,
        a.for_gateways_alone,
    ),
    rule(r"correct the annotation, or take it off", c.correct_annotation, c.take_annotation_off),
    rule(r"set serviceEntryVisibility in MeshConfig: applyToSidecars true, .*", m.limit_entries),
    rule(r"set defaultServiceExportTo in MeshConfig to \['\.'\], after every Service .*", m.private_by_default),
    rule(r"make sure that you own the domain: .*", why="asks for knowledge: nothing is wrong with the objects"),
)
