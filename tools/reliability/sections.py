"""The sections of docs/reliability.md: title and what is done there. Figures of tests stand below each."""

SECTIONS: dict[str, str] = {
    "Crash at every write": """\
Every scenario file is run through a proxy between operator and API server. The operator is killed with SIGKILL at its
first, second, third ... mutating request, each time at three places: before the request reaches the API server, after
it was applied but before the answer came back, and after the answer. It is started again, and the objects at the end
of each step must equal those of an undisturbed run, except for timestamps, uids and allocated addresses.""",
    "Unseen events": """\
Watches are paused, ended with 410, or cut while objects are changed, deleted and recreated; the operator is restarted
with an older list. After one resync its store must equal the cluster, and nothing may be written because of outdated
objects.""",
    "Faults of the API": """\
The proxy answers in place of the API server, or breaks the connection: once for writes, once for lists and watches.
Objects are changed during each fault. Recovery is the time from the end of the fault until all these changes have
taken effect; meanwhile `/readyz`, `/healthz` and the metrics must be correct.""",
    "State sweep": """\
DnsAliases, Services and ServiceEntries, valid, invalid and hostile, are created, changed and deleted at random. After
each batch the state must equal that of a fresh decision on the latest objects, whatever came before; a second pass
must write nothing. The core alone is tested with many more such histories, on a cluster in memory.""",
    "Fights": """\
A rival field manager reverts, again and again, what the operator repaired. The operator's writes are counted at the API
server: they must stay within what its backoff allows, whatever the rival does.""",
    "Two replicas": """\
Two operator processes, each with a token of its own. The leader is stopped with SIGSTOP in the middle of its writes,
for longer than the Lease; the other takes over, objects change, and the first is resumed with SIGCONT. In the audit
log, a write counts as made without the Lease if the latest successful write of the Lease before it came from the other
process.""",
    "Host policy": """\
A corpus of hostile hosts, each with the first layer that must refuse it: the CRD, the ValidatingAdmissionPolicy, or the
operator. The real API server tests the first two, and the core is tested with all, since the policy is optional.""",
    "Least privilege": """\
A test of all that the operator does, with exactly the permissions that manifests/ grants. In the API server's audit
log, what it requested must be what it may request, in a whole cluster and in one namespace.""",
    "Hostile content": """\
Objects at every limit of the current schemas, and objects of any form under CRDs without a schema, beside aliases that
must be served as usual. Each log line must be one printable line, and no label of a metric longer than a name.""",
    "Soak": """\
Teams, their tools and rivals of the operator make random changes at a steady rate; then the operator finishes its work,
and the plan must be empty. Memory is that of the process, and its slope is by least squares after the first fifth of
the run. What grows by design is limited: 10,000 uids of deleted objects, 5,000 Kubernetes Events that wait, and 5,000
that were posted.""",
}
