"""Shelves proposed, approved, rolled back and read, over HTTP: the persons are known by their keys."""

from collections.abc import Callable
from pathlib import Path as Folder
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from pipeline.shells.embedded.access import Door
from pipeline.shells.embedded.disk import Halted, Unstored
from pipeline.shells.embedded.following import Follower
from pipeline.shells.embedded.keys import Grant
from pipeline.shells.embedded.problems import Problem, declared
from pipeline.shells.embedded.worker import Full
from pipeline.shells.publishing.bundle import BundleError, Files, files_in
from pipeline.shells.publishing.register import (
    NAME,
    Entry,
    Person,
    RegisterError,
    entries,
    folder_of,
    in_force,
    whole_hash,
)
from pipeline.shells.publishing.shapes import Evidence, Key, Published, Register
from pipeline.shells.publishing.steps import Read, approve, propose, roll_back
from rules.faults import RuleError

LONGEST = 4_000  # characters of a reason
Hash = Annotated[str, Path(pattern="^[0-9a-f]{8,64}$", description="the hash of a shelf, or its first digits")]
Name = Annotated[str, Field(pattern=NAME)]
Done = TypeVar("Done")
Why = Annotated[str, Field(max_length=LONGEST)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Proposal(_Model):
    """Rule files and what speaks for them."""

    files: Files = Field(description="name, such as rules/pack/rule.yaml, -> text")
    evidence: Evidence | None = Field(default=None, description="what speaks for them, as the command gathers it")
    author: Name | None = Field(default=None, description="refused where the key is of somebody else")
    why: Why = ""


class Approval(_Model):
    """Who approves."""

    approver: Name | None = Field(default=None, description="refused where the key is of somebody else")


class Rollback(_Model):
    """Who rolls back, and why."""

    by: Name | None = Field(default=None, description="refused where the key is of somebody else")
    why: Why


def publishing_routes(
    register: Folder, follower: Follower, read: Read, granted: Door, now: Callable[[], str]
) -> APIRouter:
    """The routes of a register; `read` refuses rules that break a law, `now` is the time as RFC 3339."""
    router = APIRouter(tags=["rules"])
    _steps(router, register, follower, read, granted, now)
    _readings(router, register, granted)
    return router


def _steps(
    router: APIRouter, register: Folder, follower: Follower, read: Read, granted: Door, now: Callable[[], str]
) -> None:
    Author = Annotated[Grant, Depends(granted("author"))]
    Approver = Annotated[Grant, Depends(granted("approve"))]

    @router.post(
        "/v1/shelves",
        summary="Propose a shelf",
        status_code=201,
        responses=declared({}, 400, 401, 403, 409, 413, 422, 500),
    )
    def proposed(asked: Proposal, grant: Author) -> Entry:
        """It waits for another person's approval; nothing is decided by it before. Scope author."""
        by = _person(grant, asked.author, "author")
        evidence = {} if asked.evidence is None else asked.evidence.model_dump()
        return _done(lambda: propose(register, asked.files, by, read, at=now(), evidence=evidence, why=asked.why))

    @router.post(
        "/v1/shelves/{bundle}/approval",
        summary="Approve a shelf",
        responses=declared({}, 400, 401, 403, 409, 413, 422, 429, 500, 507),
    )
    def approved(bundle: Hash, asked: Approval, grant: Approver) -> Entry:
        """It is in force when this answers. The author cannot approve. Scope approve."""
        by = _person(grant, asked.approver, "approver")
        return _followed(follower, lambda: approve(register, bundle, by, at=now()))

    @router.post(
        "/v1/shelves/{bundle}/rollback",
        summary="Roll back to a shelf",
        responses=declared({}, 400, 401, 403, 409, 413, 422, 429, 500, 507),
    )
    def rolled_back(bundle: Hash, asked: Rollback, grant: Approver) -> Entry:
        """A shelf that was approved once is in force again when this answers. Scope approve."""
        by = _person(grant, asked.by, "by")
        return _followed(follower, lambda: roll_back(register, bundle, by, at=now(), why=asked.why))


def _readings(router: APIRouter, register: Folder, granted: Door) -> None:
    anybody = granted("read", "author", "approve")
    may_read = [Depends(anybody)]

    @router.get("/v1/key", summary="Whose key it is", responses=declared({}, 401, 403, 500))
    def key(grant: Annotated[Grant, Depends(anybody)]) -> Key:
        """The person and the scopes of the key that is sent; scope read, author or approve."""
        return Key(person=grant.person, scopes=sorted(grant.scopes))

    @router.get("/v1/shelves", summary="Every step", dependencies=may_read, responses=declared({}, 401, 403, 409, 500))
    def listed() -> Register:
        """Who proposed, approved and rolled back which shelf, the oldest first; scope read, author or approve."""
        found = _done(lambda: entries(register))
        active = in_force(found)
        return Register(
            in_force=None if active is None else active.entry.bundle, entries=[each.entry for each in found]
        )

    @router.get(
        "/v1/shelves/{bundle}",
        summary="One shelf",
        dependencies=may_read,
        responses=declared({}, 400, 401, 403, 409, 422, 500),
    )
    def one(bundle: Hash) -> Published:
        """The files of a shelf, and what was done with it; scope read, author or approve."""

        def read() -> Published:
            found = entries(register)
            whole = whole_hash(found, bundle)
            steps = [each.entry for each in found if each.entry.bundle == whole]
            return Published(bundle=whole, files=files_in(folder_of(register, whole)), entries=steps)

        return _done(read)


def _person(grant: Grant, said: str | None, field: str) -> Person:
    if grant.person is None:
        sentence = "key: expected one of a person, got one of nobody; add person=NAME to its line"
        raise Problem(403, "Forbidden", sentence)
    if said is not None and said != grant.person:
        sentence = f"{field}: expected {grant.person}, whose key it is, got {said}; use the key of {said}"
        raise Problem(403, "Forbidden", sentence)
    return Person(name=grant.person, known_by="key")


def _followed(follower: Follower, step: Callable[[], Entry]) -> Entry:
    """Take a step, and have the engine decide by what is in force after it; none where the two differ before."""
    _follow(follower, "the step is not noted")
    entry = _done(step)
    _follow(follower, "the step is noted")
    return entry


def _follow(follower: Follower, noted: str) -> None:
    try:
        _done(follower.follow)
    except Full:
        sentence = f"{noted}, and too many lines wait; what is noted comes into force after them"
        raise Problem(429, "Too many waiting", sentence, headers={"Retry-After": "1"}) from None
    except Unstored as error:
        raise Problem(507, "Insufficient storage", f"{noted}; the disk took nothing ({error})") from None
    except Halted as error:
        raise Problem(500, "Stopped", f"{noted}; {error}") from None


def _done(step: Callable[[], Done]) -> Done:
    try:
        return step()
    except BundleError as error:
        raise Problem(422, "Unusable files", str(error), field="body.files") from None
    except RuleError as error:
        raise Problem(422, "Faulty rules", str(error), field="body.files") from None
    except RegisterError as error:
        raise Problem(409, "Refused", str(error)) from None
