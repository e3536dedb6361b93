"""The command line: files or a kubeconfig in, text, JSON or YAML out."""
