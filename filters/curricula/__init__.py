"""Which rows a student sees, how often, and in which order: the parts of curricula."""
