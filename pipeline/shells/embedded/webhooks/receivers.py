"""Who is told of decisions: a file of webhooks, and the secrets that stand elsewhere.

WebhookError     a file of webhooks, or a secret, that cannot be used
"""

import base64
import binascii
import re
import secrets
import stat
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from standardwebhooks import Webhook as Signer

from rules.faults import RuleError
from rules.yaml_text import read, validate

Kind = Literal["alert", "task", "digest", "dead_letter", "disagreement"]
Severity = Literal["low", "medium", "high", "critical"]
Values = TypeVar("Values", bound=tuple[object, ...] | None)
SECRET_PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)  # of the Standard Webhooks specification


class WebhookError(Exception):
    """A file of webhooks, or a secret, that cannot be used; the message has every fault with its line."""


def _reachable(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an address such as https://host/path, got {url!r}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "expected an address without a name or password, got one with them; the signature proves who sends"
        )
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"expected https, got http to {parts.hostname}, over which anybody could read borrowers' data")
    return url


def _some(values: Values) -> Values:
    # Not min_length: pydantic would say it of a list with a faulty item, too.
    if values is not None and not values:
        raise ValueError("expected one or more, got none")
    return values


def is_loopback(url: str) -> bool:
    """Whether an address never leaves this machine.

    >>> [is_loopback(url) for url in ("http://localhost:80/a", "http://127.1.2.3", "http://[::1]:1", "http://127.0.0.1.org")]
    [True, True, True, False]
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Secret(BaseModel):
    """Where the secret of a webhook stands: it never stands in the file of webhooks itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Annotated[str | None, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = None
    file: Path | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("expected 'env: NAME' or 'file: PATH', one of the two")
        return self


class Webhook(BaseModel):
    """Where decisions are sent to, and which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
    url: Annotated[str, Field(max_length=2000), AfterValidator(_reachable)]
    secret: Secret
    kinds: Annotated[tuple[Kind, ...], AfterValidator(_some)] = ("alert", "task", "digest")
    severities: Annotated[tuple[Severity, ...] | None, AfterValidator(_some)] = None  # of alerts; None: all
    queues: Annotated[tuple[str, ...] | None, AfterValidator(_some)] = None  # of tasks; None: all
    since: Literal["beginning", "now"] = "beginning"  # what a webhook is sent that is new to a data directory


class WebhooksFile(BaseModel):
    """The file of webhooks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhooks: Annotated[tuple[Webhook, ...], AfterValidator(_some)]


class Receiver(NamedTuple):
    """A webhook with what its messages are signed by: every secret signs, so that one can be changed for another."""

    webhook: Webhook
    signers: tuple[Signer, ...]


def receivers_in(file: Path, queues: tuple[str, ...], environment: Mapping[str, str]) -> list[Receiver]:
    """The webhooks of a file; `queues` are those that a task may be in."""
    try:
        document = read(file.read_text("utf-8"), file.name)
        found = validate(document, WebhooksFile).webhooks
    except (OSError, UnicodeDecodeError) as error:
        raise WebhookError(
            f"{file}: expected a file of webhooks in UTF-8, got none that can be read ({error})"
        ) from None
    except RuleError as error:
        raise WebhookError(str(error)) from None
    names = [webhook.name for webhook in found]
    for n, webhook in enumerate(found):
        if webhook.name in names[:n]:
            at = document.fault(("webhooks", n, "name"), f"expected each name once, got {webhook.name!r} twice")
            raise WebhookError(str(at))
        strange = next((queue for queue in webhook.queues or () if queue not in queues), None)
        if strange is not None:
            what = f"expected queues of the settings ({', '.join(queues)}), got {strange!r}"
            raise WebhookError(str(document.fault(("webhooks", n, "queues"), what)))
    return [Receiver(webhook, _signers(webhook, file.parent, environment)) for webhook in found]


def _signers(webhook: Webhook, folder: Path, environment: Mapping[str, str]) -> tuple[Signer, ...]:
    place, text = _secret_text(webhook.secret, folder, environment)
    words = text.split()
    if not words or not all(_is_secret(word) for word in words):
        raise WebhookError(
            f"webhook {webhook.name}: expected in {place} a secret such as {SECRET_PREFIX}..., got something else; "
            "make one with forewarn webhooks secret"
        )
    return tuple(Signer(word) for word in words)


def _secret_text(secret: Secret, folder: Path, environment: Mapping[str, str]) -> tuple[str, str]:
    """Where a secret stands, and what stands there."""
    if secret.env is not None:
        return f"the variable {secret.env}", environment.get(secret.env, "")
    assert secret.file is not None
    file = folder / secret.file
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WebhookError(f"{file}: expected a file with a secret, got none that can be read ({error})") from None
    if mode & 0o077:
        raise WebhookError(f"{file}: expected a file for its owner alone, got mode {mode:o}; chmod 600 {file}")
    return str(file), text


def _is_secret(word: str) -> bool:
    r"""Whether a word is a secret of the Standard Webhooks specification.

    >>> [_is_secret(word) for word in (fresh_secret(), "whsec_c2hvcnQ=", "C2sy" * 10, "whsec_" + "*" * 40)]
    [True, False, False, False]
    """
    if not re.fullmatch(SECRET_PREFIX + "[A-Za-z0-9+/]+={0,2}", word):
        return False
    try:
        return len(base64.b64decode(word.removeprefix(SECRET_PREFIX) + "==")) in SECRET_BYTES
    except binascii.Error:
        return False


def fresh_secret() -> str:
    """A new secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
