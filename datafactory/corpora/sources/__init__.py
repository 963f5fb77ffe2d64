"""Where pages are read from: each source is a component of the kind `corpus`."""
