"""The operator run as its users run it: a process of its own, with the rights that manifests/ grants."""
