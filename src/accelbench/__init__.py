"""accelbench: which AI accelerator, judged by results."""

__version__ = "0.1.0"
