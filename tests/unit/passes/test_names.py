import pytest

from accelbench.errors import UsageError
from accelbench.passes.names import Pass, chain, joined, read


def test_words_are_read() -> None:
    assert read("prune:0.9") == Pass("prune:0.9", "prune", share=0.9)
    assert read("prune:.5").share == 0.5
    assert read("prune:2:4") == Pass("prune:2:4", "prune", keep=2, group=4)
    assert read("int8-static").kind == "int8-static"
    assert read("int8-nncf") == Pass("int8-nncf", "int8-nncf")
    assert chain("prune:0.5+int8") == ("prune:0.5", "int8")
    assert chain("none") == ()
    assert joined(chain("prune:2:4+fp16")) == "prune:2:4+fp16"
    assert joined(()) == "none"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "prune",
        "prune:0",
        "prune:0.0",
        "prune:1.0",
        "prune:4:4",
        "prune:0:4",
        "prune:-1",
        "int2",
        "int8+",
        "+int8",
        "none+int8",
    ],
)
def test_what_is_no_pass_is_refused_with_those_there_are(word: str) -> None:
    with pytest.raises(UsageError, match=r"no pass is called .*prune:SHARE, prune:N:M, chained with \+"):
        chain(word)
