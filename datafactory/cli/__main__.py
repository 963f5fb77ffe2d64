"""`python -m datafactory.cli`: the same as the command `datafactory`."""

from datafactory.cli import main

if __name__ == "__main__":
    main()
