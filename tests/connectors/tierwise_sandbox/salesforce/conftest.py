"""An org of a few known leads and its clients, all in-process; its clock moves only when a test moves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tierwise_sandbox.salesforce.app import salesforce
from tierwise_sandbox.salesforce.control import Doors
from tierwise_sandbox.salesforce.loading import load
from tierwise_sandbox.salesforce.org import Org

ROOT = "/services/data/v59.0"


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@pytest.fixture
def org(clock: Any, key: rsa.RSAPrivateKey) -> Org:
    """Twelve leads, one a second, the last of them a minute ago."""
    org = Org(now=clock, key=key)
    first = int(clock() * 1000) - 72_000
    load(
        org,
        (
            (
                {
                    "firstname": "Person",
                    "lastname": f"No {n}",
                    "company": f"Acme {n}",
                    "email": f"p{n}@acme-{n}.example",
                },
                first + n * 1000,
                first + n * 1000,
            )
            for n in range(12)
        ),
    )
    return org


@pytest.fixture
def leads(org: Org) -> list[str]:
    """The ids of the leads, oldest change first."""
    return [row.id for row in org.records.window("Lead", None, None)]


class Client:
    """A client with a session, or without one (`stranger`)."""

    def __init__(self, caller: Any) -> None:
        self.http = caller

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        more = {} if body is None else {"json": body}
        answer = self.http.request(method, path if path.startswith("/") else f"{ROOT}/{path}", headers=sent, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def query(self, text: str, *, status: int = 200, all_rows: bool = False, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"{ROOT}/{'queryAll' if all_rows else 'query'}"
        answer = self.http.request("GET", path, params={"q": text}, headers=sent)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ids(self, text: str) -> list[str]:
        return [record["Id"] for record in self.query(text)["records"]]

    def collection(
        self, records: list[dict[str, Any]], *, every: bool = False, status: int = 200, **headers: str
    ) -> Any:
        listed = [{"attributes": {"type": "Lead"}, **record} for record in records]
        body = {"allOrNone": every, "records": listed}
        return self.call("PATCH", "composite/sobjects", body, status=status, **headers)

    def door(self, name: str, body: Any = None, *, status: int = 200) -> Any:
        method = "GET" if body is None else "POST"
        return self.call(method, f"/_sandbox/salesforce/{name}", body, status=status)


@pytest.fixture
def sf(org: Org, caller: Callable[..., Any]) -> Client:
    app = salesforce(org, Doors(org).routes())
    return Client(caller(app, {"Authorization": f"Bearer {org.new_session()}"}))


@pytest.fixture
def stranger_sf(org: Org, caller: Callable[..., Any]) -> Client:
    return Client(caller(salesforce(org, Doors(org).routes()), {}))


@pytest.fixture
def source(tmp_path: Any) -> Callable[..., Any]:
    """`source(score="Number", granted=True)` writes a source folder with one field and a permission set."""

    def written(
        kind: str = "Number", *, granted: bool = True, more: str = "<precision>5</precision><scale>0</scale>"
    ) -> Any:
        fields = tmp_path / "force-app/main/default/objects/Lead/fields"
        sets = tmp_path / "force-app/main/default/permissionsets"
        fields.mkdir(parents=True, exist_ok=True)
        sets.mkdir(parents=True, exist_ok=True)
        namespace = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
        (fields / "Tierwise_Score__c.field-meta.xml").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?><CustomField {namespace}><fullName>Tierwise_Score__c</fullName>'
            f"<label>Tierwise score</label><type>{kind}</type>{more}</CustomField>"
        )
        (sets / "Tierwise.permissionset-meta.xml").write_text(
            f"<PermissionSet {namespace}><label>Tierwise</label><fieldPermissions>"
            f"<editable>{json.dumps(granted)}</editable><field>Lead.Tierwise_Score__c</field>"
            "<readable>true</readable></fieldPermissions></PermissionSet>"
        )
        return tmp_path

    return written
