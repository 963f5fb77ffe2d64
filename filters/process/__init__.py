"""Signals of how an attempt was worked out, whatever came of it: the seven of Nemotron 3 Ultra's analyser."""
