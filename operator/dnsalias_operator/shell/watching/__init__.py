"""What the operator knows of the cluster: watches, lists, the store that they fill."""
