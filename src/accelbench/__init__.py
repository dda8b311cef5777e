"""accelbench: which AI accelerator, judged by results."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from accelbench.deploy.model import Model, Where

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(folder: Path | str, where: Where = "auto") -> Model:
    """Load what ``accelbench convert`` wrote; ``accelbench.deploy.model.load`` says how."""
    from accelbench.deploy import model

    return model.load(folder, where)
