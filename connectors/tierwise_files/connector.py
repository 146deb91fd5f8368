"""The connector to copy: `tierwise.sdk.Connector`, which says what each method promises, over a folder of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from tierwise import sdk
from tierwise_files import Settings
from tierwise_files.folder import Folder


class Files:
    """One folder. Every method opens it anew: nothing is held between calls."""

    batch_size: ClassVar[int] = 500

    def __init__(self, settings: Settings) -> None:
        self._folder, self._page_size = Folder(settings), settings.page_size

    def now(self) -> datetime:
        with self._folder.open() as folder:
            return folder.now()

    def changes(
        self, since: datetime, until: datetime, *, properties: Sequence[str], position: Mapping[str, Any] | None = None
    ) -> Iterator[sdk.Page]:
        with self._folder.open() as folder:
            held = list(folder.records(properties, since=since))
        yield from sdk.pages(held, since, until, position=position, size=self._page_size)

    def read(self, record_ids: Sequence[str], *, properties: Sequence[str]) -> list[sdk.Record]:
        with self._folder.open() as folder:
            return folder.of(record_ids, properties)

    def write(self, updates: Sequence[sdk.Update]) -> list[sdk.Written]:
        with self._folder.open() as folder:
            told = folder.keep(updates, refusal=sdk.Declared(folder.declared()).refusal) if updates else []
        return [
            sdk.Written(update.record_id, "refused" if why else "written", error=why)
            for update, why in zip(updates, told, strict=True)
        ]

    def provision(self, fields: Sequence[sdk.AdviceField], *, dry_run: bool) -> list[sdk.PlanStep]:
        with self._folder.open() as folder:
            declared = sdk.Declared(folder.declared())
            steps = declared.plan(fields)
            if not dry_run and any(step.action != "keep" for step in steps):
                folder.declare(declared.widened(fields))
        return steps

    def check(self, *, properties: Sequence[str], fields: Sequence[sdk.AdviceField]) -> list[sdk.Check]:
        place = str(self._folder.path)
        try:
            with self._folder.open() as folder:
                folder.now()
                columns, declared = folder.columns(), sdk.Declared(folder.declared())
        except sdk.TierwiseError:
            remedy = "create the folder, or let this user write to it"
            return [sdk.Check("folder", False, f"{place} cannot be used", remedy)]
        lines = [sdk.Check("folder", True, place), *declared.missing(fields)]
        if columns and not set(columns) & set(properties):
            detail = f"no file has any of the columns {', '.join(sorted(properties))}"
            lines.append(sdk.Check("columns", False, detail, "name the files' own columns in rules/maps/files.yaml"))
        return lines

    def describe(self) -> dict[str, str]:
        with self._folder.open() as folder:
            return dict.fromkeys([*folder.columns(), *folder.declared()], "text")

    def close(self) -> None:
        pass
