"""Who may ask: the key of a request against the scope that a route wants."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.shells.embedded.keys import Grant, Keys, Scope
from pipeline.shells.embedded.problems import Problem
from pipeline.zone import Zone

Check = Callable[..., Awaitable[Grant]]
Door = Callable[..., Check]  # of scopes, any of which is enough
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key of the engine; each route names the scope that it wants."
)


def door(keys: Keys, zone: Zone, now_ms: Callable[[], int]) -> Door:
    """The checks of scopes; `now_ms` says when a key has expired, and nothing else."""

    def granted(*scopes: Scope) -> Check:
        async def check(found: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Grant:
            grant = None if found is None else keys.grant(found.credentials.strip(), zone.today(now_ms()))
            if grant is None:
                sentence = "Authorization: expected 'Bearer KEY' with a key that is known and has not expired, got none"
                raise Problem(401, "Unauthorized", sentence, headers={"WWW-Authenticate": "Bearer"})
            if grant.scopes.isdisjoint({*scopes, "admin"}):
                got, wanted = ", ".join(sorted(grant.scopes)), " or ".join(scopes)
                raise Problem(403, "Forbidden", f"key: expected one with scope {wanted}, got {got}; ask for another")
            return grant

        return check

    return granted
