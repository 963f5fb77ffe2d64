"""Finding rows that say nearly the same: sketches, candidates, and proof on the sets themselves."""
