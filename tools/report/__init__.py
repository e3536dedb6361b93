"""The HTML report in a real browser: `make report` writes the incident's, the tests here look at it."""
