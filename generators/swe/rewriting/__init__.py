"""Other bodies for functions, written by a teacher: what is asked about, what is shown, and where the answer goes."""
