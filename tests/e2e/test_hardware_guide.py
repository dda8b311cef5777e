"""The guide to the catalogue and the imports: alike in both languages; its verbs are the command's."""

import json
from pathlib import Path

from tests.e2e.command import accelbench
from tests.e2e.pages import blocks, dead_links, skeleton

GUIDES = [Path(__file__).parents[2] / "docs" / name for name in ("hardware.md", "hardware.zh-CN.md")]


def test_the_guides_say_the_same() -> None:
    english, chinese = GUIDES
    assert skeleton(english) == skeleton(chinese)
    assert [text for kind, text in blocks(english) if kind == "sh"] == [
        text for kind, text in blocks(chinese) if kind == "sh"
    ]
    assert dead_links(english) == dead_links(chinese) == []


def test_the_mapping_of_the_guide_works(tmp_path: Path) -> None:
    mapping = GUIDES[0].read_text(encoding="utf-8").rpartition("```toml\n")[2].partition("```")[0]
    (tmp_path / "cards.toml").write_text(mapping, encoding="utf-8")
    (tmp_path / "cards.csv").write_text("Card;Network;SDK;img/s;BS\nNVIDIA A30;resnet50;1.0;99.5;8\n", encoding="utf-8")
    words = ("import", "csv", "cards.csv", "--mapping", "cards.toml", "--store", "store", "--json")
    done = accelbench(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["device"]["id"], row["task"]["id"], row["mapped"], row["notes"]) == ("nvidia-a30", "resnet50", 4, 1)
    assert (tmp_path / row["folder"] / "claim.json").is_file()
