from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.report.sample import report as sample

from accelbench import model
from accelbench.errors import AccelbenchError, UsageError
from accelbench.report import canonical, codec

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(canonical.INTEGERS[0], canonical.INTEGERS[-1]),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    types.NoneType: st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that a field of type ``kind`` may have."""
    if kind in SCALARS:
        return SCALARS[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})  # type: ignore[arg-type]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, inner))
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=2).map(tuple)
    assert origin is Mapping, kind
    return st.dictionaries(values(inner[0]), values(inner[1]), max_size=2)


REPORTS = values(model.Report).map(lambda report: replace(report, schema=model.REPORT_SCHEMA))
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(REPORTS)
def test_every_report_comes_back_as_it_was(report: model.Report) -> None:
    data = codec.encode(report)
    back = codec.decode(data, "here")
    assert back == report
    assert codec.encode(back) == data


@SLOW
@given(REPORTS)
def test_the_id_depends_on_the_content_alone(report: model.Report) -> None:
    first, again = codec.identify(report), codec.identify(replace(report, id="anything"))
    assert first == again
    assert codec.identify(first) == first
    codec.verify_id(codec.encode(first), "here")


def stored(**changes: Any) -> bytes:
    return codec.encode(codec.identify(replace(sample(bins=2), **changes)))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for step, inner in steps for leaf in leaves(inner, (*path, step)))]


def test_an_edit_of_any_field_is_detected() -> None:
    text = stored().decode()
    paths = leaves(json.loads(text))[1:]
    assert len(paths) > 300
    for path in paths:
        document = json.loads(text)
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = 1 if holder[path[-1]] is None or holder[path[-1]] == [] else None
        with pytest.raises(AccelbenchError):
            codec.verify_id(json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), "here")


def test_an_edit_of_any_byte_is_detected() -> None:
    data = stored(builds=(), measurements=(), quality=None, environment=None, status="failed", reasons=("crashed",))
    assert len(data) > 1000
    for position, byte in enumerate(data):
        for other in (byte ^ 1, ord(" "), ord("0")):
            if other != byte:
                with pytest.raises(AccelbenchError):
                    codec.verify_id(data[:position] + bytes([other]) + data[position + 1 :], "here")


def test_white_space_and_another_order_of_keys_are_edits_too() -> None:
    data = stored()
    with pytest.raises(AccelbenchError, match="changed after it was made"):
        codec.verify_id(data + b"\n", "here")
    with pytest.raises(AccelbenchError, match="changed after it was made"):
        codec.verify_id(json.dumps(dict(reversed(json.loads(data).items()))).encode(), "here")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"mismatched":0', '"mismatched":"0"', r"measurements\[0\]\.integrity\.mismatched: .*integer, found '0'"),
        ('"mismatched":0', '"mismatched":true', r"measurements\[0\]\.integrity\.mismatched: .*integer"),
        ('"mismatched":0', '"mismatched":0.5', r"measurements\[0\]\.integrity\.mismatched: .*integer"),
        ('"mismatched":0', '"mismatched":null', r"measurements\[0\]\.integrity\.mismatched: .*integer"),
        ('"mismatched":0,', "", r"measurements\[0\]\.integrity\.mismatched: missing$"),
        ('"mismatched":0', '"mismatched":0,"more":1', r"measurements\[0\]\.integrity\.more: unknown field$"),
        ('"mismatched":0', '"mismatched":1,"mismatched":0', 'the key "mismatched" stands twice'),
        ('"mismatched":0', '"mismatched":18446744073709551616', "integer 18446744073709551616 has more than 64 bits"),
        ('"mismatched":0', '"mismatched":' + "9" * 5000, "more than 64 bits"),
        ('"sum_e2":', '"sum_e2":NaN,"x":', r"quality\.drift\[0\]\.sum_e2: is NaN or infinite \(and 1 more\)$"),
        ('"warmup_s":0.51', '"warmup_s":-Infinity', r"measurements\[0\]\.warmup_s: is NaN or infinite"),
        ('"warmup_s":0.51', '"warmup_s":1e999', r"measurements\[0\]\.warmup_s: is NaN or infinite"),
        ('"effort":"quick"', '"effort":"hasty"', r"effort: .*'quick', 'standard' or 'submission', found 'hasty'"),
        ('"effort":"quick"', '"effort":"\\ud800"', "invalid JSON"),
        ('"schema":2', '"schema":3', "schema 3, but this accelbench reads up to 2: use a later accelbench"),
        ('"schema":2', '"schema":0', "schema 0 is not one of accelbench's"),
        ('"schema":2', '"schema":1.0', "no schema number"),
        ('"schema":2', '"schema":true', "no schema number"),
        ('"reasons":[]', '"reasons":' + "[" * 100_000, "nested too deeply"),
        ('"reasons":[]', '"reasons":' + "[" * 500 + "]" * 500, "recursion limit"),
        ("{", "[", "not a report in JSON"),
    ],
)
def test_a_fault_is_named_with_its_path(old: str, new: str, said: str) -> None:
    text = codec.encode(sample(bins=2)).decode()
    assert old in text
    with pytest.raises(UsageError, match=f"^dir/report.json: .*{said}") as caught:
        codec.decode(text.replace(old, new, 1).encode(), "dir/report.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"PK\x03\x04"])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^x: not "):
        codec.decode(data, "x")
    with pytest.raises(UsageError, match=r"^x: not "):
        codec.verify_id(data, "x")


def test_an_older_schema_is_upgraded_step_by_step() -> None:
    def rename(document: canonical.Document) -> canonical.Document:
        document["created"] = document.pop("made")
        return {**document, "schema": 1}

    form = replace(codec.REPORTS, upgrades={**codec.UPGRADES, 0: rename})
    old = codec.encode(sample(bins=2)).decode().replace('"created":', '"made":').replace('"schema":2', '"schema":0')
    assert form.decode(old.encode(), "x") == sample(bins=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": model.Weights("seeded", "0", float("nan"), "")}, r"weights\.parameters is nan"),  # type: ignore[arg-type]
        ({"command": ("run", "\udc80")}, r"command\[1\] is not Unicode: '\\udc80'"),
        ({"files": {"a": b"x"}}, r"files\.a is a bytes"),
        ({"created": 5}, "created: .*valid string, found 5"),
        ({"status": "fine"}, "status: "),
    ],
)
def test_what_could_not_be_read_is_never_written(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AccelbenchError, match=said):
        codec.encode(replace(sample(bins=2), **changes))


def test_whole_numbers_in_places_of_floats_are_stored_as_floats() -> None:
    whole = replace(sample(bins=2), tolerance=model.Tolerance(max_relative_l2=1))
    exact = replace(sample(bins=2), tolerance=model.Tolerance(max_relative_l2=1.0))
    assert codec.encode(whole) == codec.encode(exact)
    assert codec.identify(whole).id == codec.identify(exact).id


def test_the_form_on_disk_does_not_drift() -> None:
    report = replace(sample(bins=2), builds=(), measurements=(), quality=None, environment=None, device=None)
    assert codec.encode(report).startswith(
        b'{"accelbench":"0.1.0","builds":[],"chain":[{"contents":null,"format":"onnx","maker":"accelbench","name":"resnet50.onnx",'
    )
    document = json.loads(codec.encode(codec.identify(report)))
    claimed = document.pop("id")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert claimed == hashlib.sha256(canonical.encode()).hexdigest()


@SLOW
@given(REPORTS)
def test_opening_is_decoding_and_verifying_in_one(report: model.Report) -> None:
    stored = codec.identify(report)
    assert codec.REPORTS.open(codec.encode(stored), "here") == stored


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"mismatched":0', '"mismatched":1'),
        ('"mismatched":0', '"mismatched":0,"mismatched":0'),
        ('"mismatched":0', '"mismatched":18446744073709551616'),
        ('"sum_e2":', '"sum_e2":NaN,"x":'),
        ('"reasons":[]', '"reasons": []'),
        ('"reasons":[]', '"reasons":' + "[" * 100_000),
        ('"schema":2', '"schema":3'),
        ('"schema":2', '"schema":true'),
        ('"id":"', '"id":"0'),
        ('"id":"', '"no":"'),
    ],
)
def test_nothing_opens_that_was_edited(old: str, new: str) -> None:
    text = stored().decode()
    assert old in text
    with pytest.raises(AccelbenchError):
        codec.REPORTS.open(text.replace(old, new, 1).encode(), "here")


def test_an_integer_beyond_64_bits_does_not_open_even_under_its_right_id() -> None:
    document = json.loads(stored())
    document["host"]["memory_bytes"] = 2**70
    del document["id"]
    content = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    document["id"] = hashlib.sha256(content).hexdigest()
    data = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(UsageError, match="more than 64 bits"):
        codec.REPORTS.open(data, "here")
