"""What `istioctl analyze`, `istioctl validate` and `dnsalias lint` find in one corpus, for docs/comparison.md.

    python -m tools.compare        (make compare)

`corpus` reads the manifests beside it, by kind of fault; `asking` runs the three programs; `page` writes the part of
docs/comparison.md between its two marks.
"""
