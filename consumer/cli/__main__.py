"""`python -m consumer.cli`: the program where its script is not on the path."""

from consumer.cli.app import main

main()
