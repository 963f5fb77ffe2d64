"""Fixes that people made: out of histories and out of instances of others, and the proof that they mend something."""
