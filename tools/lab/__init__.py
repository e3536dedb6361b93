"""`make lab`: the incident and its fix on real traffic, through real sidecars, printed as it goes, and checked.

``story`` is the story, ``telling`` prints it, ``scene`` is the stage; ``traffic`` and ``sockets`` are the two ways of
looking at it: what a pod gets, and what its Envoy listens on. ``serve`` and ``ask`` are scripts that run in the pods.
"""
