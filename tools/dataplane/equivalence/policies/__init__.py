"""What is bound to a Service applies to calls by its alias: by real traffic, through real sidecars.

``rows`` has the policies, ``scene`` calls Service and alias with each routing, ``table`` prints.
"""
