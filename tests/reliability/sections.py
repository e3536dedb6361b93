"""The sections of docs/reliability.md: title and what is done there. Figures of tests stand below each."""

SECTIONS: dict[str, str] = {
    "Crash at every write": """\
Every scenario file is run through a proxy between operator and API server. The operator is killed with SIGKILL at its
first, second, third ... mutating request, each time at three places: before the request reaches the API server, after
it was applied but before the answer came back, and after the answer. It is started again, and the objects at the end
of each step must equal those of a run that nobody disturbed, timestamps, uids and allocated addresses apart.""",
    "Unseen events": """\
Watches are paused, ended with 410, or cut while objects are changed, deleted and made again; the operator is restarted
onto an older list. What it believes must be what is there after one resync, and nothing may be written because of what
was true before.""",
    "Faults of the API": """\
The proxy answers in the API server's place, or breaks the connection: once for writes, once for lists and watches.
While a fault lasts, changes are made. Recovery is counted from the end of the fault until everything that was asked
for is there, and `/readyz`, `/healthz` and the metrics are held to the truth meanwhile.""",
    "State sweep": """\
DnsAliases, Services and ServiceEntries, valid, invalid and hostile, are created, changed and deleted at random. After
each batch the state must be the one that a fresh decision on the latest objects gives, whatever came before; a second
pass must write nothing. The core alone goes through many more such histories, on a cluster in memory.""",
    "Calls": """\
Random small worlds: Services with and without load balancers, entries of others for hosts inside and outside of the
mesh, SNI, mixed ports, aliases, Sidecars, policies, ambient namespaces, with and without DNS capture and REGISTRY_ONLY.
In each, every client calls every name and every address on every port, with HTTP, TLS and other bytes. An oracle that
knows nothing of the operator's guard follows each call hop by hop, to who answers. After each change of the plan the
same must answer, unless an entry had taken a call that was not meant for it.""",
    "Fights": """\
A rival field manager takes back, again and again, what the operator repaired. The operator's writes are counted at the
API server: they must stay within what its backoff allows, whatever the rival does.""",
    "Two replicas": """\
Two operator processes, each with a token of its own. The leader is stopped with SIGSTOP in the middle of its writes,
for longer than the Lease; the other takes over, objects change, and the first is woken with SIGCONT. By the audit log,
a write counts as made without the Lease where the latest successful write of the Lease before it came from the other
process.""",
    "Host policy": """\
A corpus of hostile hosts, each with the first layer that must refuse it: the CRD, the ValidatingAdmissionPolicy, the
operator. The real API server is asked of the first two, the core of everything, since the policy is optional.""",
    "Least privilege": """\
A tour through all that the operator does, with the rights that manifests/ grants and not one more. By the API server's
audit log, what it asked for must be what it may ask for, in a whole cluster and in one namespace.""",
    "Hostile content": """\
Objects at every limit of today's schemas, and objects of any shape under CRDs without a schema, beside aliases that
must be served as ever. Log lines must be one line each, in print, and no label of a metric longer than a name.""",
    "Soak": """\
Teams, their tools and rivals of the operator make random changes at a steady rate; then everything is worked off, and
the plan must be empty. Memory is that of the process, its slope by least squares after the first fifth of the run. What
grows by design has an end: 10,000 uids of deleted objects, 5,000 Kubernetes Events that wait, 5,000 that were said.""",
}
