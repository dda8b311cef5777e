"""The rules as a page of documentation, in either language, from their own texts."""

from __future__ import annotations

from collections.abc import Sequence

from accelbench.gate.rule import RULES_VERSION, Language, Rule, Severity, Text
from accelbench.gate.rules import RULES

HEAD = Text(
    f"""# The rules of submission

Version {RULES_VERSION}. `accelbench check FOLDER` applies them; `accelbench submit` applies them to what it assembles.
They are code: this page is made from their own texts (`tools/rules.py`), and a test breaks each one.

A finding is an `error`, a `warning` or a `note`. Errors end with exit code 1. What cannot be judged (a file that cannot
be read, an unknown version, a rule that fails) is an error. A submission names the version of the rules that it was
made for in `submission.toml`, and is checked by that version.

In the **closed** division a submission keeps to the tasks' own weights and tolerances, so that vendors can be compared
row by row; in the **open** one it shows what else can be done. In both, precision and sparsity are disclosed, and the
trust of either: `counted` where anybody can count it in a file, `claimed` where the compiled form cannot be read.
Conversions, quantisation and pruning are allowed in both: accuracy and drift show their price.

What the rules cannot see is told in [trust.md](trust.md).""",
    f"""# 提交规则

版本 {RULES_VERSION}。`accelbench check 文件夹` 应用这些规则；`accelbench submit` 对生成的提交应用它们。
规则即代码：本页由规则自身的文字生成（`tools/rules.py`），每条规则都有测试加以破坏验证。

检查结果分为 `error`（错误）、`warning`（警告）和 `note`（提示）。有错误时退出码为 1。
无法判定的情况（文件不可读、版本未知、规则执行失败）
一律为错误。
提交在 `submission.toml` 中写明所依据的规则版本，并按该版本检查。

**封闭组**（closed）使用任务自带的权重和容差，便于各厂商逐行比较；**开放组**（open）展示其他可能。
两组都须披露精度格式和稀疏度及其可信度：任何人都能从文件中统计的为 `counted`，编译产物不可读的为 `claimed`。
两组都允许转换、量化和剪枝：其代价由精度和漂移体现。

规则无法发现的问题见 [trust.md](trust.md)（英文）。""",
)

_THEMES: dict[str, Text] = {
    "1": Text("The folder", "文件夹"),
    "2": Text("Tasks", "任务"),
    "3": Text("Machine", "机器"),
    "4": Text("Evidence", "证据"),
    "5": Text("Measurement", "测量"),
    "6": Text("Answers", "结果质量"),
    "7": Text("What is recomputed", "重新计算"),
    "8": Text("Compliance", "合规测试"),
}
_SEVERITIES: dict[Severity, Text] = {
    "error": Text("error", "错误"),
    "warning": Text("warning", "警告"),
    "note": Text("note", "提示"),
}
_COLUMNS = (
    Text("Rule", "规则"),
    Text("Severity", "级别"),
    Text("Since", "始于版本"),
    Text("What is demanded", "要求"),
    Text("What to do", "处理办法"),
)


def page(language: Language, rules: Sequence[Rule] = RULES) -> str:
    """The page as Markdown, ending in a newline."""
    lines = [HEAD.of(language)]
    for digit, title in _THEMES.items():
        lines += ["", f"## {title.of(language)}", "", _row([column.of(language) for column in _COLUMNS])]
        lines.append(_row(["---"] * len(_COLUMNS)))
        for rule in rules:
            if rule.id[2] == digit:
                told = _SEVERITIES[rule.severity].of(language)
                lines.append(_row([rule.id, told, str(rule.since), rule.demand.of(language), rule.remedy.of(language)]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
