from __future__ import annotations

import json
from typing import Any

from tierwise_sandbox import scenario
from tierwise_sandbox.portal import Portal

LINE = {
    "custom_id": "one",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "gpt-x", "messages": [{"role": "user", "content": "Hello"}]},
}


def upload(model: Any) -> str:
    files = {"file": ("in.jsonl", json.dumps(LINE).encode())}
    answer = model.request("POST", "/v1/files", files=files, data={"purpose": "batch"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_from_the_file_to_the_answers_and_away(model: Any, portal: Portal) -> None:
    key = upload(model)
    asked = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": key}
    made = model.post("/v1/batches", json=asked).json()
    done = model.get(f"/v1/batches/{made['id']}").json()
    assert done["status"] == "completed"
    content = model.get(f"/v1/files/{done['output_file_id']}/content").content
    assert json.loads(content)["custom_id"] == "one"
    assert model.get("/v1/batches").json()["data"][0]["id"] == made["id"]
    assert portal.stats()["model_batches"] == portal.stats()["model_batch_answers"] == 1
    assert portal.stats()["model_calls"] == 0, "a batch is no call"
    assert len(model.get("/v1/files").json()["data"]) == 2
    assert model.request("DELETE", f"/v1/files/{key}").json()["deleted"] is True
    assert model.get(f"/v1/files/{key}").status_code == 404


def test_a_scenario_says_how_batches_behave(model: Any, portal: Portal) -> None:
    scenario.apply(portal, {"batches": {"stuck": True}})
    asked = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": upload(model)}
    made = model.post("/v1/batches", json=asked).json()
    assert model.post(f"/v1/batches/{made['id']}/cancel").json()["status"] == "cancelling"
    assert model.get(f"/v1/batches/{made['id']}").json()["status"] == "cancelled"


def test_what_is_refused(model: Any) -> None:
    assert model.post("/v1/batches", json={}).status_code == 400
    assert model.request("POST", "/v1/batches", content=b"{").status_code == 400
    assert model.get("/v1/batches?limit=0").status_code == 400
    for path in ("/v1/batches/none", "/v1/files/none", "/v1/files/none/content"):
        answer = model.get(path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
    assert model.request("DELETE", "/v1/files/none").status_code == 404
    assert model.post("/v1/batches/none/cancel").status_code == 404
    model.headers.clear()
    assert model.get("/v1/batches").status_code == 401
