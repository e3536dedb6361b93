"""300 ServiceEntries, each an entry that Istio accepts with one or two edits: faults, and what is close to them.

They are made by a seeded generator, so that the same seed gives the same corpus. Whether Istio accepts one of them is
not said here: that is what its own tools are asked.
"""

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

Raw = dict[str, Any]
Edit = Callable[[random.Random, Raw], None]

SEED, COUNT = 42, 300
LONG = "a" * 64

BASES: Mapping[str, Raw] = {
    "none": {
        "hosts": ["db.corp.example"],
        "addresses": ["192.0.2.0/24", "198.51.100.7"],
        "ports": [{"number": 5432, "name": "tcp-db", "protocol": "TCP"}],
        "resolution": "NONE",
    },
    "static": {
        "hosts": ["queue.corp.example"],
        "ports": [
            {"number": 443, "name": "tls", "protocol": "TLS"},
            {"number": 8080, "name": "http", "protocol": "HTTP", "targetPort": 80},
        ],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "endpoints": [
            {"address": "192.0.2.10", "ports": {"tls": 8443}, "labels": {"app": "queue"}},
            {"address": "2001:db8::1"},
        ],
    },
    "pods": {
        "hosts": ["pods.hello"],
        "addresses": ["240.241.3.4"],
        "ports": [{"number": 9100, "name": "tcp", "protocol": "TCP"}],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "workloadSelector": {"labels": {"app": "pods"}},
    },
    "dns": {
        "hosts": ["api.corp.example"],
        "ports": [{"number": 443, "name": "https", "protocol": "HTTPS"}],
        "resolution": "DNS",
        "exportTo": ["."],
    },
    "dns-several": {
        "hosts": ["one.corp.example", "*.two.corp.example"],
        "ports": [
            {"number": 80, "name": "http", "protocol": "HTTP"},
            {"number": 443, "name": "tls", "protocol": "TLS"},
        ],
        "resolution": "DNS",
        "endpoints": [{"address": "gateway.corp.example", "ports": {"http": 8080}}, {"address": "192.0.2.3"}],
    },
    "round-robin": {
        "hosts": ["cache.corp.example"],
        "addresses": ["198.51.100.9"],
        "ports": [{"number": 6379, "name": "redis", "protocol": "Redis"}],
        "resolution": "DNS_ROUND_ROBIN",
        "endpoints": [{"address": "cache.internal.example", "weight": 3, "locality": "region/zone"}],
    },
    "dynamic": {
        "hosts": ["*.wild.corp.example"],
        "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        "resolution": "DYNAMIC_DNS",
    },
}
"""Entries that Istio accepts, by what is characteristic of them."""


def _set(field: str, *values: object) -> Edit:
    return lambda rng, spec: spec.update({field: copy.deepcopy(rng.choice(values))})


def _drop(field: str) -> Edit:
    return lambda _, spec: spec.pop(field, None)


def _host(*values: object) -> Edit:
    return lambda rng, spec: spec["hosts"].__setitem__(0, rng.choice(values))


def _address(*values: object) -> Edit:
    return lambda rng, spec: spec.setdefault("addresses", []).append(rng.choice(values))


def _in_port(field: str, *values: object) -> Edit:
    return lambda rng, spec: spec["ports"][-1].update({field: rng.choice(values)})


def _port(**fields: object) -> Edit:
    return lambda _, spec: spec["ports"].append({"number": 7001, "name": "more", "protocol": "HTTP"} | fields)


def _endpoint(*values: Raw) -> Edit:
    return lambda rng, spec: spec.setdefault("endpoints", []).append(copy.deepcopy(rng.choice(values)))


def _in_endpoint(field: str, *values: object) -> Edit:
    def edit(rng: random.Random, spec: Raw) -> None:
        spec.setdefault("endpoints", [{"address": "192.0.2.77"}])[0][field] = copy.deepcopy(rng.choice(values))

    return edit


def _rename(old: str, new: str) -> Edit:
    def edit(_: random.Random, spec: Raw) -> None:
        spec[new] = spec.pop(old, [])

    return edit


def _named_port(name: str) -> Edit:
    def edit(_: random.Random, spec: Raw) -> None:
        spec["ports"][-1]["name"] = name
        spec.pop("endpoints", None)

    return edit


EDITS: Mapping[str, Edit] = {
    "as it is": lambda _, __: None,
    "host of no form": _host("under_score.example", "-dash.example", "a..example", ".example", "sp ace.example"),
    "host of another form": _host("UPPER.example", "single", "dot.at.end.example.", "xn--bcher-kva.example", "a-b.c"),
    "host that ends with a number": _host("a.123", "10.0.0.1", "a.+5", "b.-1", "7"),
    "host with a number": _host("123.example", "a.1b", "a.99999999999999999999", "1.2.3.4x"),
    "host with a wildcard": _host("*.example", "*-a.example", "*a.example", "*.com"),
    "host with a wildcard elsewhere": _host("a.*.example", "a*.example", "*.*.example", "a.b.*", "**.example"),
    "host too long": _host(f"{LONG}.example", ".".join(["abcdefgh"] * 30), f"*{LONG}.example"),
    "host just short enough": _host(f"{LONG[1:]}.example", ".".join(["abcdefgh"] * 28)),
    "host for all": _host("*"),
    "host is empty": _host(""),
    "no host": _set("hosts", []),
    "hosts not set": _drop("hosts"),
    "two hosts": _set("hosts", ["a.example", "b.example"], ["a.example", "a.example"], ["a.example", "*.b.example"]),
    "two hosts of which one is bad": _set("hosts", ["a.example", "b_.example"], ["a.example", "*"], ["a.example", ""]),
    "address with zeros": _address("192.168.0.01", "010.0.0.1", "10.0.0.00"),
    "address": _address("192.168.0.1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "10.9.8.7"),
    "no address": _address("a.example", "10.0.0", "10.0.0.256", "10.0.0.1:80", "", "fe80::1%", "1.2.3.4 "),
    "CIDR": _address("10.0.0.0/8", "10.0.0.1/32", "2001:db8::/32", "10.1.2.3/0"),
    "no CIDR": _address("10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "/8", "a/8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0"),
    "no addresses": _set("addresses", []),
    "protocol that is none": _in_port("protocol", "POSTGRES", "TCP ", "http/2", "H2", "tcp-tls", "Thrift", "HBONE"),
    "protocol in another case": _in_port("protocol", "tcp", "Http", "grpc", "GRPC-WEB", "mysql", "MONGO", "", "udp"),
    "protocol of streams": _in_port("protocol", "TCP", "Redis", "MySQL", "Mongo", "UDP", "HTTP_PROXY", "HTTP2", "GRPC"),
    "port without a name": _in_port("name", ""),
    "port of a bad name": _in_port("name", "a_b", "-a", "a-", "a.b", LONG, "a b"),
    "port of another name": _named_port("A-b9"),
    "port of a long name": _named_port(LONG[1:]),
    "port out of range": _in_port("number", 0, 65536, 70000, 4294967295),
    "port at the end of the range": _in_port("number", 1, 65535),
    "port that is no number": _in_port("number", -1, "http", 80.5, True, 4294967296, [80]),
    "port in quotes": _in_port("number", "443", "8080"),
    "port again": _port(number=9100, name="tcp"),
    "port of a number again": lambda _, spec: spec["ports"].append({**spec["ports"][0], "name": "again"}),
    "port of a name again": lambda _, spec: spec["ports"].append({**spec["ports"][0], "number": 7002}),
    "another port": _port(),
    "another port for bytes": _port(protocol="TCP"),
    "no ports": _set("ports", []),
    "ports not set": _drop("ports"),
    "targetPort out of range": _in_port("targetPort", 65536, 100000),
    "targetPort": _in_port("targetPort", 1, 0, 65535),
    "resolution in another case": _set("resolution", "dns", "Static", "none", "DNS_ROUNDROBIN", "", "STRICT_DNS"),
    "another resolution": _set("resolution", "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"),
    "resolution not set": _drop("resolution"),
    "resolution that is no word": _set("resolution", 2, 0, True, ["DNS"], {}),
    "location that is none": _set("location", "MESH_OUTER", "mesh_external", "INTERNAL"),
    "another location": _set("location", "MESH_INTERNAL", "MESH_EXTERNAL", 1),
    "endpoint by name": _endpoint({"address": "a.example"}, {"address": "single"}),
    "endpoint by address": _endpoint({"address": "192.0.2.99"}, {"address": "2001:db8::9"}),
    "endpoint without address": _endpoint({}, {"labels": {"app": "a"}}, {"address": ""}),
    "endpoint of a network": _endpoint({"network": "other"}),
    "endpoint of no form": _endpoint({"address": "*.example"}, {"address": "a_b.example"}, {"address": "192.0.2.1:80"}),
    "endpoint is a socket": _set("endpoints", [{"address": "unix:///run/a.sock"}], [{"address": "unix://@a"}]),
    "endpoint is no socket": _set(
        "endpoints", [{"address": "unix://a"}], [{"address": "unix:///a/"}], [{"address": "unix://"}]
    ),
    "endpoint port of no name": _in_endpoint("ports", {"absent": 80}, {"a_b": 80}),
    "endpoint port out of range": _in_endpoint("ports", {"tls": 0}, {"http": 65536}, {"tcp": 70000}),
    "endpoint ports": _in_endpoint("ports", {}, {"tls": 443}, {"http": 8081}, {"redis": 1}),
    "endpoint labels of no form": _in_endpoint(
        "labels", {"a b": "c"}, {"a": "b c"}, {"": "x"}, {"a/b/c": "d"}, {"-a": "b"}
    ),
    "endpoint labels": _in_endpoint("labels", {"a.b/c": "d"}, {"a": ""}, {"a": "b_c.d"}, {}),
    "endpoint weight": _in_endpoint("weight", 0, 1, -1, "3", 4294967295),
    "endpoint locality": _in_endpoint("locality", "a/b/c", "", "*", 5),
    "endpoints are empty": _set("endpoints", []),
    "endpoints are texts": _set("endpoints", ["192.0.2.1"], "192.0.2.1"),
    "selector and endpoints": _set("workloadSelector", {"labels": {"app": "a"}}, {"labels": {}}, {}),
    "selector with a wildcard": _set(
        "workloadSelector", {"labels": {"app": "*"}}, {"labels": {"a*": "b"}}, {"labels": {"": "b"}}
    ),
    "selector of Kubernetes": _set("workloadSelector", {"matchLabels": {"app": "a"}}, {"app": "a"}),
    "selector of odd labels": _set("workloadSelector", {"labels": {"a b": "c d"}}, {"labels": {"A": "-"}}),
    "no selector": _drop("workloadSelector"),
    "exported": _set("exportTo", ["*"], ["."], ["~"], ["other"], ["a", "b"], [".", "other"], []),
    "exported twice": _set("exportTo", ["a", "a"], [".", "shop"], [".", "."], ["*", "*"], ["~", "~"]),
    "exported to all and some": _set("exportTo", ["*", "a"], [".", "*"], ["~", "."], ["~", "a"], ["*", "~"]),
    "exported to no namespace": _set("exportTo", ["a.b"], ["a_b"], [""], ["-a"], ["a", "b*"]),
    "exported to text": _set("exportTo", "*", ".", {"a": "b"}),
    "names of the certificate": _set("subjectAltNames", ["spiffe://a/b"], [], ["a b"], "a"),
    "field without its s": _rename("hosts", "host"),
    "field in the singular": _rename("ports", "port"),
    "field of protobuf": _rename("exportTo", "export_to"),
    "field of nobody": _set("tls", {"mode": "SIMPLE"}, [], "x"),
    "field in another case": _rename("resolution", "Resolution"),
    "field is null": _set("exportTo", None),
    "address is null": _set("addresses", None, [None]),
}
"""What is done to an entry, by what it is about: faults, each with something close to it that is none."""


def corpus(seed: int = SEED, count: int = COUNT) -> list[Raw]:
    """The entries, each with a name of its own that says which edits were made; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 (to be repeated, not secret)
    bases, edits = list(BASES), list(EDITS)
    made: list[Raw] = []
    while len(made) < count:
        # Each edit once in turn, a fifth of them with a second one.
        chosen = [edits[len(made) % len(edits)], *rng.choices(edits, k=int(rng.random() < 0.2))]
        base = rng.choice(bases)
        spec = copy.deepcopy(BASES[base])
        try:
            for edit in chosen:
                EDITS[edit](rng, spec)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # the second edit is of what the first one took away
        name = f"e{len(made):03}"
        about = f"{base}: {', '.join(chosen)}"
        made.append(
            {
                "apiVersion": "networking.istio.io/v1",
                "kind": "ServiceEntry",
                "metadata": {"name": name, "namespace": "shop", "annotations": {"about": about}},
                "spec": spec,
            }
        )
    return made
