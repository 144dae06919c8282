"""How a client of Kafka is set up: where the brokers are, and a file of what librdkafka wants to know beside that.

ClientError     a file that cannot be used, in one sentence with its line
"""

from pathlib import Path


class ClientError(Exception):
    """A file of client settings that cannot be used."""


def client_of(brokers: str, file: Path | None) -> dict[str, str]:
    """The settings of a client; the file has lines `name=value`, as Java's clients and librdkafka's tools read them."""
    found = {} if file is None else _lines(file)
    return {**found, "bootstrap.servers": brokers}


def _lines(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClientError(f"{file}: expected a file of client settings, got none that can be read ({error})") from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            # What stands there may be a secret, so it is not repeated.
            raise ClientError(f"{file}, line {number}: expected name=value, such as security.protocol=SSL, got neither")
        found[name] = value
    return found
