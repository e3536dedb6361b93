"""An oracle of connections: who answers a call before and after a plan, followed hop by hop.

It shares the models of listeners and clusters with the product, which real Envoys are held against, and nothing of the
guard: `ground` is what is true without a mesh, `sidecar` and `ztunnel` follow a call of a client of theirs, `kept` says
which calls there are and which of them a change has broken.
"""
