"""What runs inside a backend's own environment: boot, wire, main loop. Standard library and NumPy only."""
