"""docs/quickstart.md, typed as it stands there on a real API server: `make quickstart` writes its transcript anew."""
