"""What every test may use: the control plane's fixtures. Fixtures of one folder stand in that folder's conftest."""

pytest_plugins = ["tests.controlplane.fixtures", "tests.reliability.plugin"]
