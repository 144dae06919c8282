"""Where an engine listens: the socket is opened before anything else begins, so that its port is known.

ListenError     nobody can listen there
"""

import socket


class ListenError(Exception):
    """Nobody can listen at an address, in one sentence."""


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ListenError(
            f"{host}:{port}: expected an address of this machine that is free, got: {error.strerror}; "
            "stop what listens there, or name another by --host and --port"
        ) from None


def address_of(door: socket.socket) -> str:
    """Its address for a client."""
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
