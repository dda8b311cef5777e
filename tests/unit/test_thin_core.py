"""Nothing but what is promised is imported: by the host its core dependencies, by the worker's side NumPy alone."""

import ast
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"

CORE = {"click", "cryptography", "numpy", "onnx", "pydantic", "rich", "safetensors"}
WITH_THEM = {
    "_cffi_backend", "annotated_types", "colorama", "google", "markdown_it", "mdurl", "ml_dtypes", "pydantic_core",
    "pygments", "typing_extensions", "typing_inspection",
}  # fmt: skip
WORKER_SIDE = ("model", "errors", "tensors", "measure", "backends/protocol", "worker")

PROGRAM = """
import importlib, sys, warnings
warnings.simplefilter("error")
allowed, names = set(sys.argv[1].split(",")), sys.argv[2].split(",")

class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        known = top in sys.stdlib_module_names or top.startswith("_sysconfigdata")
        if top not in allowed and not known:
            raise ImportError(f"{name} is not promised")

sys.meta_path.insert(0, Guard())
for name in names:
    importlib.import_module(name)
"""


def modules(*parts: str) -> list[str]:
    found = []
    for part in parts:
        base = SOURCE / "accelbench" / part
        files = sorted(base.rglob("*.py")) if base.is_dir() else [base.with_suffix(".py")]
        for file in files:
            of_a_stack = file.parents[1].name == "backends"
            if of_a_stack or file.name in ("adapter.py", "boot.py", "tool.py"):
                continue
            name = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
            found.append(name.removesuffix(".__init__"))
    assert found
    return found


def imports(allowed: set[str], names: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(sorted(allowed | {"accelbench"})), ",".join(names)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_host_imports_with_core_dependencies_only() -> None:
    done = imports(CORE | WITH_THEM, modules("."))
    assert done.returncode == 0, done.stderr


def test_the_workers_side_imports_with_numpy_alone() -> None:
    done = imports({"numpy"}, modules(*WORKER_SIDE))
    assert done.returncode == 0, done.stderr


def test_the_guard_refuses_what_is_not_promised() -> None:
    assert "pydantic is not promised" in imports({"numpy"}, ["accelbench.report.codec"]).stderr


def test_the_workers_side_keeps_to_the_syntax_of_python_3_9() -> None:
    for name in modules(*WORKER_SIDE):
        path = SOURCE / Path(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 9))
