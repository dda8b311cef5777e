"""The same artifact in production: a folder that holds what was evaluated, and one call that runs it."""
