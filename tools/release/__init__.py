"""The artefacts of a release: ``python -m tools.release`` (make release) writes and checks them."""
