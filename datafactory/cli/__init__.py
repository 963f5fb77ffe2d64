"""The command line: `datafactory`."""
