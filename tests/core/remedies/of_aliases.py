"""What the reasons of aliases ask for: the message of a condition."""

from tests.core.remedies import aliases as a
from tests.core.remedies import around as r
from tests.core.remedies import entries as e
from tests.core.remedies.rule import Rule, rule

FITS = (
    r"EntryMismatch: ServiceEntry (?P<entry>\S+) "
    r"(?:already has host \S+ but does not fit|has host \S+ as well, and requests go there too); "
)

OF_ALIASES: tuple[Rule, ...] = (
    rule(r"AddressUnknown: .* has no clusterIP; in files, add spec\.clusterIPs .*", r.service_gets_address),
    rule(
        r"PlaintextInAmbient: .*; set spec\.endpoints to Workloads or Auto",
        a.endpoints("Workloads"),
        a.endpoints("Auto"),
    ),
    rule(
        r"WouldCutOffCallers: DestinationRule (?P<rule>\S+) adds TLS .*; create a DestinationRule with the same "
        r"trafficPolicy for host (?P<host>\S+) as well",
        a.same_rule_for_the_host,
    ),
    rule(
        r"AmbiguousTargetPort: .*targetPort '(?P<name>\w+)', .*; give them different names, or list .*",
        a.distinct_target_ports,
        a.one_of_the_ports,
    ),
    rule(
        rf"{FITS}annotate it dnsalias\.io/service: (?P<name>\S+) .*, or delete it",
        a.on_entry(lambda b, m: b.annotate(service=m["name"])),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}take (?P<hosts>[\w., -]+) out of spec\.hosts \(one host an entry\), or delete it",
        a.on_entry(a.without_host),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}lead spec\.endpoints to Service \S+ alone, by its DNS name .*, or delete it",
        a.on_entry(e.lead_to_service),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}set spec\.resolution to DNS \(it is STATIC .*\), or delete it",
        a.on_entry(a.resolution("DNS")),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}set spec\.resolution to DNS \(it is [A-Z_]+\), or delete it",
        a.on_entry(a.resolution("DNS")),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}remove the annotation dnsalias\.io/repair: false, or delete it",
        a.on_entry(lambda b, _: b.annotate(repair=None)),
        a.on_entry(e.delete),
    ),
    rule(
        rf"{FITS}make spec\.workloadSelector the selector of Service \S+, or delete it",
        a.on_entry(e.pods_of_service),
        a.on_entry(e.delete),
    ),
    rule(rf"{FITS}add port (?P<port>\d+) to spec\.ports, or delete it", a.on_entry(a.add_port), a.on_entry(e.delete)),
    rule(rf'{FITS}take "~" out of spec\.exportTo \(.*\), or delete it', a.on_entry(a.not_hidden), a.on_entry(e.delete)),
    rule(r"HeadlessService: .*; give the Service a clusterIP", r.service_gets_address),
    rule(
        r"HeadlessService: .*; give the Service a clusterIP, or limit spec\.ports to HTTP ports",
        r.service_gets_address,
        a.limit_to(http=True),
    ),
    rule(
        r"HostHeld: .* is held by DnsAlias (?P<holder>\S+), which .*; delete that one or choose another host",
        a.delete_holder,
        e.other_host,
    ),
    rule(r"Host(?:IsService|Reserved): .*; choose another host", e.other_host),
    rule(r"PublicSuffix: .*; choose a name that exists inside the mesh only", e.other_host),
    rule(
        r"HostNotAllowed: .*; choose another host, or have the settings give it to namespace \S+",
        e.other_host,
        a.settings_allow,
    ),
    rule(
        r"HostNotAllowed: .*; choose one under (?P<suffix>[^,]+).*, or have the settings give it to namespace \S+",
        a.host_under,
        a.settings_allow,
    ),
    rule(
        r"HttpProxyUnsupported: port (?P<port>\d+) of .*; "
        r"give the Service's port the appProtocol tcp, or limit spec\.ports to other ports",
        a.service_port_tcp,
        a.limit_ports,
    ),
    rule(
        r"HttpProxyUnsupported: port (?P<port>\d+) of .*; give the Service's port the appProtocol tcp",
        a.service_port_tcp,
    ),
    rule(r"Invalid: spec\.host: .*, (?:such )?as (?:in )?(?P<example>[a-z.-]+).* \(got .*\)", a.example_host),
    rule(r"NotDiscovered: .*; label it as one of them asks", why="the mesh is read by labels of Namespaces"),
    rule(r"NotReadHere: .*; declare the DnsAlias there instead, and delete it here", e.delete),
    rule(
        r"NameTaken: ServiceEntry (?P<entry>\S+) exists.*; rename the DnsAlias or delete that entry",
        a.rename,
        a.delete_entry_of_name,
    ),
    rule(r"NameTaken: ServiceEntry (?P<entry>\S+) exists.*; delete that entry", a.delete_entry_of_name),
    rule(
        r"NoMatchingPort: .*has no TCP port .*; give it one, or name another Service",
        a.service_gets_tcp_port,
        a.refer_to_another,
    ),
    rule(r"NoMatchingPort: spec\.ports names .*; TCP ports of .*", a.ports_that_exist),
    rule(r"NoSelector: .*; use endpoints: Service", a.endpoints("Service")),
    rule(r"NotExported: .*; name one there that sees it", a.alias_as_service),
    rule(
        r"PlaintextEndpoints: spec\.endpoints is Service, .*; use endpoints: Auto, or limit .* not HTTP",
        a.endpoints("Auto"),
        a.limit_to(http=False),
    ),
    rule(r"PlaintextEndpoints: spec\.endpoints is Service, .*; use endpoints: Auto", a.endpoints("Auto")),
    rule(r"ServiceIsExternalName: .*; alias the Service it names instead", a.refer_to_another),
    rule(
        r"ServiceNotFound: .*; create it or correct spec\.serviceRef(?: \(if .*\))?",
        a.create_service,
        a.refer_to_another,
    ),
    rule(
        r"WouldCatchAll: .* to port (?P<port>\d+) of pods in namespace (?P<namespace>[\w-]+), .*; "
        r"give its egress port the protocol HTTP, or limit spec\.ports to other ports",
        r.http_at_sidecar,
        a.limit_ports,
    ),
    rule(
        r"WouldCatchAll: .* to port (?P<port>\d+) of pods in namespace (?P<namespace>[\w-]+), .*; "
        r"give its egress port the protocol HTTP",
        r.http_at_sidecar,
    ),
    rule(
        r"WouldShadowEntry: .* would take \S+:(?P<port>\d+) from .*; choose another host or other ports",
        e.other_host,
        a.limit_ports,
    ),
    rule(
        r"WouldShadowEntry: .* would take \S+:(?P<port>\d+) from .*; choose another host",
        e.other_host,
    ),
    rule(
        r"WouldShadowService: ServiceEntry (?P<entry>\S+) would take .*: it came first; delete it once, .*",
        a.delete_once,
    ),
    rule(
        r"WouldShadowService: an alias .*; export it to '\*', or give the Service the same exportTo",
        a.export_to_all,
        a.service_as_alias,
    ),
    rule(
        r"WouldShadowService: an alias .*; limit spec\.ports to HTTP ports \(.*\), or give the Service .*",
        a.limit_to(http=True),
        a.service_as_alias,
    ),
    rule(
        r"WouldShadowService: an alias .*; .* limits exportTo to .*; give the Service the same exportTo",
        a.service_as_alias,
    ),
)
