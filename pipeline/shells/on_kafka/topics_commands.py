"""The commands `forewarn topics`: make the topics of a deployment, check them, describe them."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from config.settings import Kafka
from connectors.kafka.clients import ClientError, client_of
from connectors.kafka.topics import DAY_MS, TOPICS, Who, name_of
from pipeline.shells.manners import Config, Lang, Quiet, fail, settings_of
from pipeline.shells.on_kafka.texts import TEXTS
from pipeline.shells.show import console
from pipeline.shells.texts import Language, counted

if TYPE_CHECKING:
    from connectors.kafka.admin import Brokers, Found

topics_app = typer.Typer(no_args_is_help=True, help="The topics of the engine on Kafka.")

BrokersAt = Annotated[str, typer.Option("--brokers", help="Addresses of brokers, with commas between.")]
Client = Annotated[
    Path | None, typer.Option("--client", help="File of lines name=value for the client: TLS, user, password.")
]
AT = "127.0.0.1:9092"
GROUP = "forewarn"


@topics_app.command()
def create(
    brokers: BrokersAt = AT, client: Client = None, config: Config = None, lang: Lang = "en", quiet: Quiet = False
) -> None:
    """Make the topics that are missing; those that are there are left as they are."""
    from connectors.kafka.admin import KafkaError

    try:
        made = _brokers(brokers, client, config).create()
    except KafkaError as error:
        fail(str(error))
    if not quiet:
        texts, topics = TEXTS[lang], counted(len(made), "topic", lang)
        typer.echo(texts["made"].format(topics=topics, names=", ".join(made)) if made else texts["all_there"])


@topics_app.command()
def check(
    brokers: BrokersAt = AT, client: Client = None, config: Config = None, lang: Lang = "en", quiet: Quiet = False
) -> None:
    """Whether every topic is as the engine needs it: partitions, cleanup and retention; exit code 1 if one is not."""
    from connectors.kafka.admin import KafkaError, differences

    try:
        asked = _brokers(brokers, client, config)
        found = list(differences(asked.found(), asked.settings))
    except KafkaError as error:
        fail(str(error))
    if found:
        typer.echo("\n".join(found))
        raise typer.Exit(1)
    if not quiet:
        typer.echo(TEXTS[lang]["as_it_must_be"].format(topics=counted(len(TOPICS), "topic", lang)))


@topics_app.command()
def describe(
    brokers: BrokersAt = AT,
    client: Client = None,
    acls: Annotated[
        bool, typer.Option("--acls", help="Commands of kafka-acls in place of the table; no broker is asked.")
    ] = False,
    config: Config = None,
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """What each topic holds and how it is set; or the rights that each party needs."""
    if acls:
        typer.echo("\n".join(acl_commands(settings_of(config).kafka, brokers)))
        return
    from connectors.kafka.admin import KafkaError

    try:
        asked = _brokers(brokers, client, config)
        console().print(_table(asked.found(), asked.settings, lang))
    except KafkaError as error:
        fail(str(error))


def acl_commands(settings: Kafka, brokers: str) -> Iterator[str]:
    """What an administrator pastes: the parties are principals, to be renamed as the bank calls its own."""
    begin = f"kafka-acls --bootstrap-server {shlex.quote(brokers)} --add --allow-principal"
    for who, verb, topics in _rights(settings):
        principal = "User:*" if who == "everybody" else f"User:{who}"
        words = " ".join(f"--topic {shlex.quote(name)}" for name in topics)
        yield f"{begin} {shlex.quote(principal)} --operation {verb} --operation Describe {words}"
    for kind in ("--group", "--transactional-id"):
        operations = "--operation Read" if kind == "--group" else "--operation Write --operation Describe"
        pattern = "--resource-pattern-type prefixed"
        yield f"{begin} User:engine {operations} {kind} {shlex.quote(settings.prefix + GROUP)} {pattern}"


def _rights(settings: Kafka) -> Iterator[tuple[Who, str, list[str]]]:
    parties: tuple[Who, ...] = ("banks", "engine", "console", "everybody")
    for who in parties:
        for verb in ("Write", "Read"):
            mine = [each for each in TOPICS if who in (each.written_by if verb == "Write" else each.read_by)]
            names = [name_of(each, settings) for each in mine]
            if names:
                yield who, verb, names


def _brokers(at: str, client: Path | None, config: Path | None) -> "Brokers":
    # Its library takes a tenth of a second to load, which no other command should wait for.
    from connectors.kafka.admin import Brokers

    settings = settings_of(config).kafka
    try:
        return Brokers(client_of(at, client), settings)
    except ClientError as error:
        fail(str(error))


def _table(found: "dict[str, Found]", settings: Kafka, lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table()
    for name in ("topic", "holds", "key", "partitions", "replication", "cleanup", "kept"):
        table.add_column(texts[name], justify="right" if name in ("partitions", "replication") else "left")
    for topic in TOPICS:
        there = found.get(topic.name)
        row = (name_of(topic, settings), topic.holds, topic.key or texts["none"])
        if there is None:
            table.add_row(*row, *[texts["none"]] * 4)
            continue
        policy = there.config.get("cleanup.policy", texts["none"])
        kept = _kept(there, lang, is_compacted=topic.is_compacted)
        table.add_row(*row, str(there.partitions), str(there.replication), policy, kept)
    return table


def _kept(there: "Found", lang: Language, *, is_compacted: bool) -> str:
    kept = int(there.config.get("retention.ms", -1))
    if is_compacted or kept < 0:
        return TEXTS[lang]["for_ever"]
    return TEXTS[lang]["days"].format(days=kept / DAY_MS)
