"""Backends and their workers as the host sees them: descriptions, environments, processes."""
