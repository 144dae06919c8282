"""One message to one receiver: signed by the Standard Webhooks specification, within a stated time."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from pipeline.shells.embedded.webhooks.answers import Answer
from pipeline.shells.embedded.webhooks.messages import Message
from pipeline.shells.embedded.webhooks.receivers import Receiver, is_loopback

CONNECT_SECONDS, QUIET_SECONDS, WHOLE_SECONDS = 5.0, 15.0, 30.0
MOST_OF_ANSWER = 1 << 16  # bytes that are read, so that the connection can be used again


def client_of(receiver: Receiver) -> httpx.AsyncClient:
    """A client for one webhook; this machine itself is never asked for through a proxy."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(QUIET_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=not is_loopback(receiver.webhook.url),
        limits=httpx.Limits(max_connections=1),
        headers={"User-Agent": "forewarn", "Content-Type": "application/json"},
    )


def signed(receiver: Receiver, message: Message, now_ms: int) -> dict[str, str]:
    """The headers that say which message it is, when it is sent, and that it is ours."""
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    text = message.body.decode()
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(signer.sign(message.id, now, text) for signer in receiver.signers),
    }


async def sent(
    client: httpx.AsyncClient, receiver: Receiver, message: Message, now_ms: Callable[[], int], seconds: float
) -> Answer:
    """What the receiver answered; whatever goes wrong on the way is an answer without status."""
    status, retry_after = None, None
    headers = signed(receiver, message, now_ms())
    try:
        async with asyncio.timeout(seconds):
            async with client.stream("POST", receiver.webhook.url, content=message.body, headers=headers) as response:
                status, retry_after = response.status_code, response.headers.get("retry-after")
                read = 0
                async for chunk in response.aiter_raw():
                    read += len(chunk)
                    if read > MOST_OF_ANSWER:
                        break
    except TimeoutError:
        why = f"expected an answer within {seconds:g} seconds, got none"
    except httpx.TimeoutException:
        why = f"expected an answer, got none within {QUIET_SECONDS:g} seconds"
    except httpx.HTTPError as error:
        why = f"expected an answer, got {type(error).__name__}: {error}"
    else:
        why = f"expected a status of 200 to 299, got {status}"
    # Once it gave its status, what it does with the rest of its answer is of no concern.
    return Answer(status, why if status is None else f"expected a status of 200 to 299, got {status}", retry_after)
