"""Which tests a bug fails: benches in boxes, and the runs that have to agree."""
