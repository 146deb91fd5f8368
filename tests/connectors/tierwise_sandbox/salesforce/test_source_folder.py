from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise_sandbox.salesforce import source_folder

PICKLIST = (
    "<valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>A</fullName><default>false</default><label>Tier A</label></value></valueSetDefinition></valueSet>"
)


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("Number", "<precision>5</precision><scale>2</scale>", ("double", 0, 5, 2)),
        ("Text", "<length>80</length>", ("string", 80, 0, 0)),
        ("LongTextArea", "<length>32768</length><visibleLines>5</visibleLines>", ("textarea", 32_768, 0, 0)),
        ("Checkbox", "<defaultValue>false</defaultValue>", ("boolean", 0, 0, 0)),
        ("DateTime", "", ("datetime", 0, 0, 0)),
        ("Picklist", PICKLIST, ("picklist", 255, 0, 0)),
    ],
)
def test_fields_are_read_as_they_would_be_deployed(
    source: Callable[..., Path], kind: str, more: str, expected: tuple[str, int, int, int]
) -> None:
    deployment = source_folder.read(source(kind, more=more))
    (field,) = deployment.fields["Lead"]
    assert (field.type, field.length, field.digits, field.scale) == expected
    assert (field.name, field.label) == ("Tierwise_Score__c", "Tierwise score")
    assert deployment.editable == {"Lead.Tierwise_Score__c"}
    if kind == "Picklist":
        assert (field.options, field.restricted) == ((("A", "Tier A"),), True)


def test_a_permission_set_can_grant_reading_only(source: Callable[..., Path]) -> None:
    deployment = source_folder.read(source(granted=False))
    assert (deployment.editable, deployment.readable) == (frozenset(), {"Lead.Tierwise_Score__c"})


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        ("Text", "", "needs a length"),
        ("Number", "", "precision and scale"),
        ("Picklist", "", "valueSet"),
        ("Magic", "", "'Magic' is not one of"),
        ("Text", "<length>", "not XML"),
    ],
)
def test_a_field_that_salesforce_would_refuse_is_named_with_its_file(
    source: Callable[..., Path], kind: str, more: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        source_folder.read(source(kind, more=more))
    assert "Tierwise_Score__c.field-meta.xml" in str(refused.value)


def test_a_folder_without_fields_or_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="field-meta"):
        source_folder.read(tmp_path)
    with pytest.raises(FileNotFoundError):
        source_folder.read(tmp_path / "nowhere")


def test_the_built_in_fields_are_sixteen_of_ours() -> None:
    held = {field.name: field for field in source_folder.built_in()}
    assert len(held) == 16
    assert held["Tierwise_Request_Review__c"].type == "boolean"
    assert [value for value, _ in held["Tierwise_Tier__c"].options] == ["A", "B", "C", "D"]
    assert held["Tierwise_Reason_Codes__c"].restricted is False
