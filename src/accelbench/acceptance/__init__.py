"""The acceptance test of a backend: what a stack has to be before its figures mean something, and what it can take."""
