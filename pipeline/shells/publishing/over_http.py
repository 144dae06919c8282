"""The register of a running engine, reached over HTTP: who asks is known by the key in FOREWARN_API_KEY."""

from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from pipeline.shells.embedded.client import KEY_VARIABLE, EngineError, detail_of, opened
from pipeline.shells.publishing.bundle import Files
from pipeline.shells.publishing.doors import DoorError, Log
from pipeline.shells.publishing.register import Entry
from pipeline.shells.publishing.shapes import Key, Published, Register

Told = TypeVar("Told", bound=BaseModel)
_SHELVES = "/v1/shelves"


class OverHttp:
    """The register of an engine at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def refuse_no_author(self, author: str | None) -> None:
        """Whoever asks may propose, and is who they say; DoorError otherwise."""
        key = self._asked("GET", "/v1/key", Key)
        if not {"author", "admin"} & set(key.scopes) or key.person is None:
            got = f"{', '.join(key.scopes)} of {key.person or 'nobody'}"
            raise DoorError(f"{KEY_VARIABLE}: expected a person's key with scope author, got {got}; ask for another")
        if author not in (None, key.person):
            raise DoorError(f"--author: expected {key.person}, whose key it is, got {author}; use the key of {author}")

    def propose(self, files: Files, author: str | None, *, evidence: dict[str, Any], why: str) -> Entry:
        """Propose a shelf."""
        body = {"files": files, "author": author, "evidence": evidence, "why": why}
        return self._asked("POST", _SHELVES, Entry, body)

    def approve(self, bundle: str, approver: str | None) -> Entry:
        """Put a proposed shelf in force."""
        return self._asked("POST", f"{_SHELVES}/{bundle}/approval", Entry, {"approver": approver})

    def roll_back(self, bundle: str, by: str | None, *, why: str) -> Entry:
        """Put an approved shelf in force again."""
        return self._asked("POST", f"{_SHELVES}/{bundle}/rollback", Entry, {"by": by, "why": why})

    def log(self) -> Log:
        """Every step."""
        found = self._asked("GET", _SHELVES, Register)
        return Log(found.entries, found.in_force)

    def files(self, bundle: str) -> Files:
        """The files of a shelf."""
        return self._asked("GET", f"{_SHELVES}/{bundle}", Published).files

    def _asked(self, method: str, path: str, kind: type[Told], body: dict[str, Any] | None = None) -> Told:
        try:
            with opened(self._url) as engine:
                headers = {"Content-Type": "application/json"}
                answer = engine.request(method, path, json=body, headers=headers if body is not None else None)
            if answer.is_success:
                return kind.model_validate_json(answer.content)
        except EngineError as error:
            raise DoorError(str(error)) from None
        except (httpx.InvalidURL, httpx.HTTPError, ValidationError) as error:
            got = str(error).splitlines()[0] or type(error).__name__
            advice = "start it with forewarn run, name it with --to, or its data directory with --data"
            raise DoorError(f"{self._url}: expected an engine that answers, got {got}; {advice}") from None
        said = detail_of(answer) or f"{self._url}: expected the answer of an engine, got status {answer.status_code}"
        raise DoorError(said)
