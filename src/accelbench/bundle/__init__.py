"""One file with all evidence of a report: packed, read though it may be hostile, verified offline, signed."""
