"""The operator: Kopf handlers, the keyed queue, reconcile, server-side apply. All effects of `dnsalias run`."""
