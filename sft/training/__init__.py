"""Training a student on packs of tokens; runs in a process of its own."""
