"""The boards: files that any browser shows, and a server of the same with an interface for programs."""
