"""Tasks are read strictly, found by name, and have a hash of what they mean."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from accelbench.errors import UsageError
from accelbench.model import Dataset, Metric
from accelbench.zoo import catalogue

SHIPPED = sorted(path.parent.name for path in catalogue.TASKS.glob("*/task.toml"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A copy of a task's folder that is not part of the tree, under another name."""
    return Path(shutil.copytree(catalogue.TASKS / "digits-cnn", tmp_path / "mine"))


def edit(where: Path, old: str, new: str) -> None:
    text = (where / "task.toml").read_text()
    assert old in text
    (where / "task.toml").write_text(text.replace(old, new, 1))


def test_the_shipped_tasks_regular_ones_first() -> None:
    assert sorted(catalogue.tasks()) == SHIPPED
    assert list(catalogue.tasks())[:3] == ["bert-base", "resnet50", "widedeep"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_task_says_what_its_graph_says(name: str) -> None:
    task = catalogue.find(name)
    graph = catalogue.graph(task).graph
    assert catalogue.folder(task).name == task.id
    for specs, values in ((task.inputs, graph.input), (task.outputs, graph.output)):
        found = [(v.name, tuple(d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim)) for v in values]
        assert [(spec.name, spec.shape) for spec in specs] == found
    read = {name for node in graph.node for name in node.input}
    assert {spec.name for spec in task.inputs} <= read, "every input is read by some node"


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'resnet5': did you mean .*resnet50"):
        catalogue.find("resnet5")
    with pytest.raises(UsageError, match="accelbench zoo list"):
        catalogue.find("zzz")


def test_a_folder_outside_the_tree_is_a_task(outside: Path) -> None:
    task = catalogue.load(outside)
    assert task == catalogue.find("digits-cnn")
    assert catalogue.graph(task, outside) == catalogue.graph(task)
    assert catalogue.task_hash(task, outside) == catalogue.task_hash(task)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('id = "digits-cnn"', "id = 7", "task.toml: id: "),
        ('tier = "smoke"', 'tier = "huge"', "task.toml: tier: "),
        ("version = 1", "", "task.toml: version: "),
        ("version = 1", 'version = "1"', "task.toml: version: "),
        ("version = 1", "version = 1\nspeed = 9", "task.toml: speed: "),
        ("count = 540", 'count = "many"', "task.toml: dataset.count: "),
        ("target = 0.97", "target = nan", "task.toml: metric.target: "),
        ("version = 1", "version = 2020-01-01", "task.toml: version: "),
        ("version = 1", "version =", "cannot be read as TOML"),
    ],
)
def test_a_damaged_task_names_file_and_field(outside: Path, old: str, new: str, complaint: str) -> None:
    edit(outside, old, new)
    with pytest.raises(UsageError) as caught:
        catalogue.load(outside)
    assert complaint in str(caught.value)
    assert str(outside) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_task_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"task\.toml cannot be read"):
        catalogue.load(tmp_path)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda _: b"nonsense", lambda _: b""])
def test_a_damaged_graph_names_its_file(outside: Path, damage: Callable[[bytes], bytes]) -> None:
    path = outside / "graph.onnx.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UsageError, match=r"mine/graph\.onnx\.gz is corrupted"):
        catalogue.graph(catalogue.load(outside), outside)


@pytest.mark.parametrize(
    ("old", "new"), [('name = "top1"', 'name = "none"'), ("count = 540", "count = 539"), ("version = 1", "version = 2")]
)
def test_the_hash_changes_with_the_meaning(outside: Path, old: str, new: str) -> None:
    before = catalogue.task_hash(catalogue.load(outside), outside)
    edit(outside, old, new)
    assert catalogue.task_hash(catalogue.load(outside), outside) != before


@pytest.mark.parametrize("name", ["weights.safetensors", "data.npz"])
def test_the_hash_changes_with_the_files(outside: Path, name: str) -> None:
    task = catalogue.load(outside)
    before = catalogue.task_hash(task, outside)
    (outside / name).write_bytes(b"other")
    assert catalogue.task_hash(task, outside) != before
    (outside / name).unlink()
    with pytest.raises(UsageError, match=name):
        catalogue.task_hash(task, outside)


def test_the_hash_does_not_change_with_the_words() -> None:
    task = catalogue.find("digits-cnn")
    told = replace(task, title="Other", tier="op", source="elsewhere", tolerance=replace(task.tolerance))
    assert catalogue.task_hash(told) == catalogue.task_hash(task)
    assert catalogue.task_hash(replace(task, metric=Metric("none"))) != catalogue.task_hash(task)


def test_the_hash_does_not_change_with_a_field_that_is_empty() -> None:
    @dataclass(frozen=True)
    class Later(Dataset):
        """The noun with fields that it has not yet."""

        extra: int | None = None
        more: tuple[str, ...] = ()

    task = catalogue.find("digits-cnn")
    own = task.dataset
    later = Later(own.kind, own.count, own.seed, own.file, own.sha256, own.options)
    assert catalogue.task_hash(replace(task, dataset=later)) == catalogue.task_hash(task)
    assert catalogue.task_hash(replace(task, dataset=replace(later, extra=0))) != catalogue.task_hash(task)
