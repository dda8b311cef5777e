"""The store: folders that never change, an index over them that can be made again, and what is asked of both."""
