"""The programs that judge products in the clean box; they run there alone, on Python 3.8 or later."""
