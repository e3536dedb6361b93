"""From files or a cluster to objects, with the line that each comes from."""
