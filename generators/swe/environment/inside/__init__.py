"""Programs that run in a box, on its own Python and with nothing but the standard library."""
