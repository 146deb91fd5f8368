"""A drop folder: CSV and JSONL files of leads in, results beside each file. The connector to copy.

`connector.py` is what a connector has to say, `folder.py` and `rows.py` know folders and files.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tierwise import sdk


class Settings(BaseModel):
    """Options of a files connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Field(Path("leads"), description="Folder into which .csv and .jsonl files are dropped.")
    id_column: str = Field("id", description="Column that identifies a row of its file; else the row's number does.")
    encoding: str = Field("utf-8-sig", description="Encoding of the files.")
    page_size: int = Field(500, ge=1, le=10_000, description="Rows stored together.")

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("must be an encoding such as utf-8-sig, utf-16 or cp1252") from None
        return value


def _open(connection: sdk.Connection) -> sdk.Connector:
    from tierwise_files import connector

    return connector.Files(Settings.model_validate(dict(connection.options)))


@sdk.hookimpl
def tierwise_connector_types() -> list[sdk.ConnectorType]:
    """The one type of this plugin."""
    summary = "CSV and JSONL files in a folder, results beside them"
    return [sdk.ConnectorType("files", summary, _open, Settings, needs_token=False)]
