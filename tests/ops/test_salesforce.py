"""ops/salesforce: fresh, well-formed, and such that every deployed field is seen by those who need it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tierwise import content, policies
from tierwise.domain.advice import FIELDS, AdviceField, fields_for
from tierwise_salesforce import schema, values
from tierwise_sandbox.salesforce import source_folder

FOLDER = Path(__file__).parents[2] / "ops" / "salesforce"
SOURCE = FOLDER / "force-app" / "main" / "default"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_salesforce", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fields() -> tuple[AdviceField, ...]:
    return fields_for(policies.read(content.find(None)))


def _root(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_bytes())


def _texts(root: ElementTree.Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(f"{NAMESPACE}{name}")]


def _permissions(name: str) -> dict[str, tuple[str, str]]:
    root = _root(SOURCE / "permissionsets" / f"{name}.permissionset-meta.xml")
    found = {}
    for entry in root.iter(f"{NAMESPACE}fieldPermissions"):
        (field,), (editable,), (readable,) = (_texts(entry, key) for key in ("field", "editable", "readable"))
        found[field] = (editable, readable)
    return found


def test_the_folder_is_what_the_generator_writes(generator: ModuleType, fields: tuple[AdviceField, ...]) -> None:
    """After a change of fields, tiers or reason codes: python ops/salesforce/generate.py"""
    made = generator.files(fields)
    there = {
        str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.is_file() and (path.suffix in {".xml", ".json"})
    }
    assert there == made


def test_the_command_writes_the_same(generator: ModuleType, tmp_path: Path) -> None:
    assert generator.main(["--to", str(tmp_path)]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.xml")} | {"sfdx-project.json"}


def test_contacts_get_the_same_fields(generator: ModuleType, tmp_path: Path) -> None:
    assert generator.main(["--to", str(tmp_path), "--object", "Contact"]) == 0
    assert len(source_folder.read(tmp_path).fields["Contact"]) == len(FIELDS)


def test_every_file_is_xml_of_salesforces_namespace_named_after_what_it_holds() -> None:
    paths = sorted(SOURCE.rglob("*.xml"))
    assert len(paths) == len(FIELDS) + 5
    for path in paths:
        root = _root(path)
        kind = root.tag.removeprefix(NAMESPACE)
        stem, suffix = path.name.removesuffix("-meta.xml").rsplit(".", 1)
        wanted = {"CustomField": "field"}.get(kind, kind[0].lower() + kind[1:])
        assert suffix.lower() == wanted.lower(), path
        named = root.findtext(f"{NAMESPACE}fullName")
        assert named in {None, stem}, path


def test_the_project_names_its_source_and_an_api_that_the_connector_speaks() -> None:
    project = json.loads((FOLDER / "sfdx-project.json").read_text())
    assert [entry["path"] for entry in project["packageDirectories"]] == ["force-app"]
    from tierwise_salesforce.settings import Settings

    assert project["sourceApiVersion"] == Settings.model_fields["api_version"].default


def test_an_org_after_the_deployment_has_every_field_as_the_connector_wants_it(
    fields: tuple[AdviceField, ...],
) -> None:
    deployment = source_folder.read(FOLDER)
    held = {field.name: field.describe(writable=True) for field in deployment.fields["Lead"]}
    steps = [schema.compare(field, held.get(values.field_name(field.name))) for field in fields]
    assert {step.action for step in steps} == {"keep"}, steps


def test_the_workers_permission_set_makes_every_field_writable() -> None:
    """Without it a deployed field is hidden from everybody, and INVALID_FIELD says that there is none."""
    wanted = {f"Lead.{values.field_name(field.name)}": ("true", "true") for field in FIELDS}
    assert _permissions("Tierwise") == wanted


def test_the_workers_permission_set_changes_nothing_but_leads() -> None:
    root = _root(SOURCE / "permissionsets" / "Tierwise.permissionset-meta.xml")
    rights = {entry.findtext(f"{NAMESPACE}object"): entry for entry in root.iter(f"{NAMESPACE}objectPermissions")}
    assert set(rights) == {"Account", "Contact", "Lead", "Opportunity"}
    for name, entry in rights.items():
        granted = {right.tag.removeprefix(NAMESPACE) for right in entry if right.text == "true"}
        assert granted == {"allowRead", "viewAllRecords"} | ({"allowEdit"} if name == "Lead" else set()), name


def test_reps_read_all_and_write_only_what_is_theirs() -> None:
    found = _permissions("Tierwise_Rep")
    assert len(found) == len(FIELDS)
    theirs = {f"Lead.{values.field_name(field.name)}" for field in FIELDS if field.by_rep}
    assert {name for name, (editable, _) in found.items() if editable == "true"} == theirs
    assert {readable for _, readable in found.values()} == {"true"}


def test_the_button_ticks_the_box_that_asks_for_a_review() -> None:
    root = _root(SOURCE / "quickActions" / "Lead.Tierwise_Request_Review.quickAction-meta.xml")
    override = root.find(f"{NAMESPACE}fieldOverrides")
    assert override is not None
    assert (_texts(override, "field"), _texts(override, "formula")) == (["Tierwise_Request_Review__c"], ["TRUE"])
    assert root.findtext(f"{NAMESPACE}type") == "Update"


def test_fields_stay_within_salesforces_limits(fields: tuple[AdviceField, ...]) -> None:
    for path in sorted((SOURCE / "objects/Lead/fields").glob("*.xml")):
        root = _root(path)
        assert len(root.findtext(f"{NAMESPACE}label") or "") <= 40, path
        assert len(root.findtext(f"{NAMESPACE}inlineHelpText") or "") <= 510, path
        assert len(root.findtext(f"{NAMESPACE}fullName") or "") <= 40 + len("__c"), path
        chosen = _texts(root, "label")[1:]
        assert len(chosen) == len(set(chosen)), f"{path}: two values with one label"
        assert len(chosen) <= 500, path
        # A multi-select holds at most forty characters a value.
        assert all(len(value) <= 40 for value in _texts(root, "fullName")), path


def test_compact_layout_and_field_set_name_fields_that_are_there() -> None:
    ours = {values.field_name(field.name) for field in FIELDS}
    compact = set(_texts(_root(SOURCE / "objects/Lead/compactLayouts/Tierwise.compactLayout-meta.xml"), "fields"))
    assert compact - {"Name", "Company"} <= ours
    assert len(compact) <= 10
    long = {values.field_name(field.name) for field in FIELDS if field.kind in {"long_text", "multi_choice"}}
    assert not compact & long, "Salesforce refuses long texts and multi-selects in a compact layout"
    shown = _texts(_root(SOURCE / "objects/Lead/fieldSets/Tierwise.fieldSet-meta.xml"), "field")
    assert set(shown) == ours
