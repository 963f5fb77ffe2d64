"""Tasks from Python repositories: bugs, and what proves them."""
