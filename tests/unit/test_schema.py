import pytest
from pydantic import BaseModel, ConfigDict

from jevons.errors import InputError
from jevons.files import read_text, writing
from jevons.schema import parse_yaml, validate_document


def test_positions_are_one_based_lines_and_columns():
    document = parse_yaml("a:\n  - 1\n  - {b: 2}\n", "f.yaml")
    assert document.root == {"a": [1, {"b": 2}]}
    assert document.positions["a", 1, "b"] == (3, 6)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [1,\n", "f.yaml:2:1"),
        ("a: 1\na: 2\n", "given twice"),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4"),
        ("a: !thing 1\n", "not allowed"),
        ("", "is empty"),
        ("{a: 1}: 2\n", "plain text"),
        ("a: *nope\n", "undefined alias"),
    ],
)
def test_bad_yaml_is_a_fault_with_a_place(text, part):
    with pytest.raises(InputError, match=part):
        parse_yaml(text, "f.yaml")


def test_aliases_that_multiply_are_refused():
    text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
    text += "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    with pytest.raises(InputError, match="too large"):
        parse_yaml(text, "bomb.yaml")


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tpot_s: float


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slo: Inner


def test_unknown_keys_are_faults_with_line_column_and_a_near_name():
    document = parse_yaml("slo:\n  tpott_s: 0.05\n", "serve.yaml")
    with pytest.raises(InputError) as caught:
        validate_document(document, Outer)
    assert "serve.yaml:2:3: slo.tpott_s: unknown field. Did you mean `tpot_s`?" in str(caught.value)
    assert "needs `tpot_s`" in str(caught.value)


def test_missing_files_offer_near_names(tmp_path):
    (tmp_path / "plan.yaml").write_text("a: 1")
    with pytest.raises(InputError, match=r"no such file. Did you mean `plan.yaml`"):
        read_text(tmp_path / "plam.yaml")


def test_a_failed_write_leaves_nothing(tmp_path):
    target = tmp_path / "out.json"
    target.write_text("{}")
    with pytest.raises(RuntimeError), writing(target) as stream:
        stream.write("half")
        raise RuntimeError
    assert target.read_text() == "{}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


def test_a_missing_folder_is_wrong_input(tmp_path):
    with pytest.raises(InputError, match="does not exist; create it first"), writing(tmp_path / "no" / "out.json"):
        pass
