import pathlib

assert pathlib.Path("/app/sorted.txt").read_text() == "apple\npear\n"
