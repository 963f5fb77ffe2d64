"""The search server, which speaks as ASearcher's does, and its client."""
