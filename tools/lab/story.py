"""The story: the old form, the incident, the mask, what takes the mask off, the operator, and life without the mask."""

import subprocess
import time
from collections.abc import Callable, Sequence

from dnsalias_operator.model.snapshot import Snapshot
from tools.controlplane.waiting import eventually
from tools.lab import sockets, traffic
from tools.lab.scene import EGRESS_OWN, KINDS, Client, Scene, of_incident, sidecars, strict
from tools.lab.telling import command, say, step, table
from tools.lab.traffic import BY_ALIAS, BY_SERVICE, CONTAINED, IDENTITY, OUTSIDE, REACHED, Said, Target
from tools.running import identity
from tools.running.operator_process import COMMAND, Operator

ASK_AGAIN = 5
PAUSE_SECONDS = 1.0
MANAGED_BY, DNS_CONTROLLER = "app.kubernetes.io/managed-by", "dns-controller"


class Story:
    """What has been told so far.

    Attributes:
        scene: where it happens.
        wrong: every difference between what was predicted or claimed, and what was measured.
    """

    def __init__(self, scene: Scene) -> None:
        """Begin it."""
        self.scene = scene
        self.wrong: list[str] = []

    def tell(self) -> None:
        """All of it."""
        self._old_form()
        self._incident()
        self._mask()
        self._mask_comes_off()
        self._cure()

    def _old_form(self) -> None:
        step("The Services, and an entry as the post-mortem printed it: protocol TLS, no addresses, no endpoints")
        self.scene.create(strict(), *of_incident("Service", "traefik", "service-api", "mysql"))
        self.scene.create(*of_incident("ServiceEntry", "traefik-hello"))
        world = self._look("the entry is there", _has("abc", "traefik-hello"))
        self._claim(not traffic.wrong(self._public(world)), "the old form takes nothing")
        say("Istio scopes that form by SNI, 1.11 too: it harms nobody.")
        self.scene.delete("serviceentry", "abc", "traefik-hello")

    def _incident(self) -> None:
        step("The incident: entries with protocol TCP, no addresses, no endpoints")
        for name in ("traefik-cutom-name", "mysql-cutom-name", "checkout-cutom-name"):
            self.scene.create(*of_incident("ServiceEntry", name))
        self.scene.create(*of_incident("Service", "checkout"))
        self.scene.create(*of_incident("ServiceEntry", "traefik-hello"))
        world = self._look("istiod has given every entry an address", _allocated)
        hit = traffic.wrong(self._public(world))
        self._claim({c for c, _ in hit} == {c for c in self.scene.clients if not c.dns_capture}, "who is hit")
        self._claim(traffic.WILDCARD in {v for _, v in hit}, "public HTTPS gets the certificate of traefik")
        say(
            "The oldest entry has whatever no server name claims, in every pod alike. Worst is registry.example.com:\n"
            "*.example.com is good for that name too, so its client sees nothing wrong. DNS capture spares a pod:\n"
            "there every entry has a listener at an address of its own."
        )

    def _mask(self) -> None:
        step("The mask: a list of public names, MESH_EXTERNAL, in namespace default")
        self.scene.create(*of_incident("ServiceEntry", "external-apis"))
        world = self._look("the list is there", _has("default", "external-apis"))
        hit = traffic.wrong(self._public(world), "https")
        self._claim(not hit, "the list masks the incident for HTTPS")
        say("HTTPS to these names passes again. What has no server name, or is not in the list, is still hit.")

    def _mask_comes_off(self) -> None:
        step(f"The mask comes off: a Sidecar with egress ./* in namespaces {', '.join(EGRESS_OWN)}")
        self.scene.create(*sidecars(EGRESS_OWN))
        world = self._look("the Sidecars are there", lambda w: len(w.sidecars()) == len(EGRESS_OWN))
        told = self._public(world)
        hit = traffic.wrong(told, "https")
        self._claim({c.pod.namespace for c, _ in hit} == {"abc", "data", "shop"}, "who is hit")
        self._claim(len({v.removeprefix(traffic.VALID) for _, v in hit}) == 3, "each of them otherwise")
        self._claim("connection reset" in {v for _, v in traffic.wrong(told)}, "a connection is reset")
        say(
            "These pods import their own namespace only: not the list, and of the entries the one beside them. So\n"
            "each is hit in its own way, and ops, which has no entry, not at all. In shop, the sidecar of checkout\n"
            "(STRICT) resets SSH, and shows TLS clients the certificate that sidecars show each other."
        )
        self._listeners_of("abc")

    def _cure(self) -> None:
        scene = self.scene
        step("The operator starts, and somebody declares a DnsAlias for service-api")
        scene.create(*of_incident("DnsAlias", "service-api"))
        with Operator(scene.plane, identity.install(scene.plane), scene.plane.folder) as operator:
            eventually(self._alias_ready, "the alias is ready")
            for line in operator.idle().lines():
                if "written" in line:
                    what = f"{line['written']} {line['kind']} {line['namespace']}/{line['name']} ({line['reason']})"
                    say(f"{what}: {line['message'].partition(': ')[2]}")
            say()
            world = self._look("every entry is repaired, and the alias has one", _cured)
            self._claim(not traffic.wrong(self._public(world)), "everything public is reached from every pod")
            self._listeners_of("abc")
            self._names(world)

            step("The mask is taken away: it is not needed any more")
            scene.delete("serviceentry", "default", "external-apis")
            world = self._look("the list is gone", lambda w: not _has("default", "external-apis")(w))
            self._claim(not traffic.wrong(self._public(world)), "everything public is reached without the list")
            self.wrong += [f"the operator: {line}" for line in operator.bugs()]

    def _names(self, world: Snapshot) -> None:
        """The aliases, and the Services by their own names, from every pod."""
        alias = BY_ALIAS[0]
        step(f"{alias.name}, while the cluster's DNS knows nothing of it: only DNS capture answers")

        def only_captured(told: Said) -> bool:
            return all((told[client][alias] == REACHED) == client.dns_capture for client in told)

        self._claim(only_captured(self._ask((alias,), only_captured)), "the alias resolves with DNS capture alone")

        step("What `dnsalias coredns` prints goes into the Corefile")
        self.scene.resolve(self._dnsalias("coredns"))
        spared = self._spared(world)
        said = self._ask((*BY_ALIAS, *BY_SERVICE), lambda told: not _unequal(told, spared))
        self.wrong += _unequal(said, spared)
        self._claim(all(told[alias] == REACHED for told in said.values()), "the alias answers by name in every pod")
        for client in (c for c in said if c.pod.namespace == "default"):
            bad = [f"{t.name}: {v}" for t, v in said[client].items() if v != REACHED and (client, t) not in spared]
            self._claim(not bad, f"{client} reaches everything ({'; '.join(bad)})")
        say(
            "By the alias a pod gets what it gets by the Service's own name. Pods whose Sidecar hides namespace shop\n"
            "speak plaintext there, where mTLS is demanded: by either name they are shown a certificate of the mesh."
        )
        for client, target in spared:
            if said[client][target] == IDENTITY:
                say(
                    f"{target.name} is contained, not fixed (see above), and the operator goes on reporting it.\n"
                    f"Without DNS capture the Service's listener serves it; {client} is led to the entry."
                )

    def _spared(self, world: Snapshot) -> list[tuple[Client, Target]]:
        """What need not work: an entry that the operator could only contain, where DNS capture leads to it."""
        entry = world.entry("shop", "checkout-cutom-name")
        contained = entry is not None and any(a.startswith(CONTAINED) for a in entry.addresses)
        return [(c, BY_ALIAS[-1]) for c in self.scene.clients if contained and c.dns_capture]

    def _look(self, what: str, there: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait for the world, hold Envoys against the model, show the listeners; the world."""
        world, seen, expected = sockets.settled(self.scene, there)
        self._claim(there(world), what)
        table(sockets.table(seen, expected), ())
        found = sockets.differences(seen, expected)
        chains, ports = (sum(c.total() for c in seen.values()), len({r.port for c in seen.values() for r in c}))
        say(f"{chains} filter chains in {len(seen)} Envoys on {ports} ports: {len(found)} differ from the prediction\n")
        self.wrong += found
        return world

    def _public(self, world: Snapshot) -> Said:
        """Ask for the public servers from every pod, and hold the answers against the model."""
        expected = traffic.predicted(world, self.scene.clients)
        said = self._ask(OUTSIDE, lambda told: told == expected)
        for client, told in said.items():
            pairs = [(t, v, expected[client][t]) for t, v in told.items()]
            self.wrong += [f"{client}: {t.name}: {v}; predicted: {e}" for t, v, e in pairs if v != e]
        say("All as predicted from the listeners.\n" if said == expected else "NOT as predicted from the listeners.\n")
        return said

    def _ask(self, targets: Sequence[Target], enough: Callable[[Said], bool]) -> Said:
        """Ask from every pod, again for a few seconds while it is not enough, and show what each is told."""
        said = traffic.ask(self.scene, targets)
        for _ in range(ASK_AGAIN):
            if enough(said):
                break
            time.sleep(PAUSE_SECONDS)
            said = traffic.ask(self.scene, targets)
        header = ("POD", *(f"{target.name}:{target.port}" for target in targets))
        table([header, *((str(client), *told.values()) for client, told in said.items())], (REACHED,))
        return said

    def _listeners_of(self, namespace: str) -> None:
        """The same, as people see it who ask ``dnsalias``."""
        asked = ("listeners", "-f", "-", "--from", namespace, "--port", "443")
        self._dnsalias(*asked, stdin=self.scene.export("yaml"), before=f"kubectl get {KINDS} -A -o yaml | ")

    def _dnsalias(self, *arguments: str, stdin: str = "", before: str = "") -> str:
        command(f"{before}dnsalias {' '.join(arguments)}")
        environment = self.scene.plane.environment()
        argv = [COMMAND[0], *arguments]
        done = subprocess.run(
            argv, env=environment, input=stdin, capture_output=True, text=True, check=True, timeout=120
        )
        say(done.stdout)
        return done.stdout

    def _alias_ready(self) -> bool:
        status = '{.status.conditions[?(@.type=="Ready")].status}'
        asked = ("get", "dna", "-n", "abc", "service-api", "-o", f"jsonpath={status}")
        return self.scene.plane.kubectl(*asked) == "True"

    def _claim(self, true: bool, what: str) -> None:  # noqa: FBT001 (it reads as a sentence)
        if not true:
            self.wrong.append(f"not so: {what}")


def _unequal(said: Said, spared: Sequence[tuple[Client, Target]]) -> list[str]:
    """One line for each alias that a pod is answered otherwise than by the Service's own name."""
    return [
        f"{client}: {alias.name}: {told[alias]}, but {service.name}: {told[service]}"
        for client, told in said.items()
        for alias, service in zip(BY_ALIAS, BY_SERVICE, strict=True)
        if told[alias] != told[service] and (client, alias) not in spared
    ]


def _has(namespace: str, name: str) -> Callable[[Snapshot], bool]:
    return lambda world: world.entry(namespace, name) is not None


def _cured(world: Snapshot) -> bool:
    """Whether every entry of the dns-controller's has addresses, and the alias one of its own."""
    foreign = [e for e in world.entries() if e.meta.labels.get(MANAGED_BY) == DNS_CONTROLLER]
    return _has("abc", "service-api")(world) and all(entry.addresses for entry in foreign)


def _allocated(world: Snapshot) -> bool:
    """Whether istiod has given an address to every entry without one."""
    return all(e.addresses or e.auto_addresses for e in world.entries())
