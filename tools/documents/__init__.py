"""Pages of docs/ that are printed from the code: settings and the fields of a DnsAlias."""
