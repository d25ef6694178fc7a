"""``python -m tuneornot``: the command line."""

from tuneornot.cli import main

main()
