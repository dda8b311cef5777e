"""How the nouns are read from JSON."""

STRICT = {"extra": "forbid", "strict": True, "allow_inf_nan": False}
"""How the host's codec reads every noun: an unknown or mistyped field is an error with its path."""
