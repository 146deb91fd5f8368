from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

from tierwise import sdk
from tierwise.sdk import connector


def test_what_the_sdk_exports_is_all_there_once() -> None:
    assert len(sdk.__all__) == len(set(sdk.__all__))
    assert [name for name in sdk.__all__ if not hasattr(sdk, name)] == []


def test_every_value_of_the_contract_can_be_imported_by_a_connector() -> None:
    public = {
        name
        for name, value in vars(connector).items()
        if inspect.isclass(value) and value.__module__ == connector.__name__
    }
    assert public <= set(sdk.__all__)


def test_every_promise_is_written_down() -> None:
    silent = [
        name
        for name, value in vars(sdk.Connector).items()
        if inspect.isfunction(value) and not name.startswith("_") and not inspect.getdoc(value)
    ]
    assert silent == []


def test_the_contract_brings_no_library_along() -> None:
    """A connector type is listed without HTTP, a model library or a database being imported."""
    importlib.import_module("tierwise.sdk")
    heavy = "{'requests', 'litellm', 'sqlalchemy', 'celery', 'pytest', 'redis', 'opentelemetry'}"
    code = f"import sys, tierwise.sdk; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
