"""Control totals of one ingest: rows, events and money, read against written."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

from connectors.exact import EXACT, exact_sum

Language = Literal["en", "zh"]
PRINTED_WIDTH = 132  # where there is no terminal that says how wide it is


SUMS = ("read", "left_out", "raised", "rounding", "computed", "written")


class MoneyTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the money on its way into one field of one type of event, in minor units."""

    event: str
    field: str
    columns: str
    read_minor: Decimal  # every row of the columns
    left_out_minor: Decimal  # rows that gave no such event
    raised_minor: Decimal  # added where a negative amount became 0
    rounding_minor: Decimal  # added or taken where the source has more digits than the currency
    computed_minor: Decimal  # computed amounts, which no column holds
    written_minor: int  # summed over the finished file

    @property
    def agrees(self) -> bool:
        """True when nothing is lost or added unexplained."""
        return self.expected_minor == self.written_minor

    @property
    def expected_minor(self) -> Decimal:
        """What the written sum must be."""
        used = EXACT.subtract(self.read_minor, self.left_out_minor)
        return exact_sum([used, self.raised_minor, self.rounding_minor, self.computed_minor])


class FileRows(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of one file: each gave events, or stands under one reason."""

    file: str
    read: int
    skipped: dict[str, int]  # repeated, no_event -> rows
    refused: dict[str, int]  # the mapping's own reason -> rows
    is_cut_off: bool

    @property
    def used(self) -> int:
        """Rows that gave events."""
        return self.read - sum(self.skipped.values()) - sum(self.refused.values())


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an ingest must answer for."""

    mapping: str
    currency: str
    currency_digits: int
    files: tuple[FileRows, ...]
    not_read: tuple[str, ...]  # files of the folder that the mapping does not name
    made: dict[str, int]  # type -> events that the rows gave
    written: dict[str, int]  # type -> events counted in the finished file
    money: tuple[MoneyTotal, ...]
    rounded_values: int
    unknown_fields: dict[str, int]  # event.field -> events that lack it because the source does not say
    first_date: date
    last_date: date

    @property
    def rows_read(self) -> int:
        """Rows of all files."""
        return sum(each.read for each in self.files)

    @property
    def rows_skipped(self) -> dict[str, int]:
        """Rows that gave nothing, by reason, over all files."""
        return dict(sum((Counter(each.skipped) + Counter(each.refused) for each in self.files), Counter[str]()))

    @property
    def is_cut_off(self) -> bool:
        """Whether one of the files broke off."""
        return any(each.is_cut_off for each in self.files)

    @property
    def agree(self) -> bool:
        """True when every event and every minor unit is where it should be."""
        return self.made == self.written and all(each.agrees for each in self.money)


TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "rows": "Rows of {mapping}",
        "read": "read",
        "used": "used",
        "repeated": "skipped: an exact repeat of an earlier row",
        "no_event": "skipped: no event of the mapping holds",
        "refused": "refused: {because}",
        "not_read": "not read, the mapping does not name it: {file}",
        "rounded": "amounts rounded half to even",
        "period": "first and last date",
        "unknown": "left empty, the source does not say: {field}",
        "cut_off": "the source breaks off; its whole lines were used",
        "yes": "yes",
        "events": "Events written",
        "type": "type",
        "count": "events",
        "sum": "all",
        "money": "Control totals in {currency}",
        "field": "field",
        "columns": "columns",
        "left_out": "- rows without it",
        "raised": "+ raised to 0",
        "rounding": "+ rounding",
        "computed": "+ computed",
        "written": "= written",
        "agrees": "agrees",
        "no": "NO",
    },
    "zh": {
        "rows": "{mapping} 的行数",
        "read": "读取",
        "used": "使用",
        "repeated": "跳过：与前面某行完全重复",
        "no_event": "跳过：映射中没有事件成立",
        "refused": "拒收：{because}",
        "not_read": "未读取，映射未列出：{file}",
        "rounded": "四舍六入五成双的金额数",
        "period": "首末日期",
        "unknown": "来源未提供，留空：{field}",
        "cut_off": "来源文件中断，完整的行已使用",
        "yes": "是",
        "events": "写出的事件",
        "type": "类型",
        "count": "事件数",
        "sum": "合计",
        "money": "控制总额（{currency}）",
        "field": "字段",
        "columns": "来源列",
        "left_out": "− 无此事件的行",
        "raised": "+ 负数归零",
        "rounding": "+ 舍入",
        "computed": "+ 计算得出",
        "written": "= 写出",
        "agrees": "一致",
        "no": "否",
    },
}


def print_totals(totals: Totals, lang: Language) -> None:
    """Show the control totals on the standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PRINTED_WIDTH)
    for table in (_rows(totals, TEXTS[lang]), _events(totals, TEXTS[lang]), _money(totals, TEXTS[lang])):
        console.print(table)


def _rows(totals: Totals, texts: dict[str, str]) -> Table:
    table = Table(title=texts["rows"].format(mapping=totals.mapping), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for each in totals.files:
        if len(totals.files) > 1:
            table.add_row(each.file, "", style="bold")
        table.add_row(texts["read"], f"{each.read:,}")
        for reason, rows in each.skipped.items():
            table.add_row(texts[reason], f"{rows:,}")
        for because, rows in each.refused.items():
            table.add_row(texts["refused"].format(because=because), f"{rows:,}")
        table.add_row(texts["used"], f"{each.used:,}")
        if each.is_cut_off:
            table.add_row(texts["cut_off"], texts["yes"])
        if len(totals.files) > 1:
            table.add_section()
    for name in totals.not_read:
        table.add_row(texts["not_read"].format(file=name), "")
    table.add_row(texts["period"], f"{totals.first_date} {totals.last_date}")
    table.add_row(texts["rounded"], f"{totals.rounded_values:,}")
    for name, events in totals.unknown_fields.items():
        table.add_row(texts["unknown"].format(field=name), f"{events:,}")
    return table


def _events(totals: Totals, texts: dict[str, str]) -> Table:
    table = Table(title=texts["events"], title_justify="left")
    table.add_column(texts["type"])
    table.add_column(texts["count"], justify="right")
    table.add_column(texts["agrees"])
    for name, events in totals.written.items():
        table.add_row(name, f"{events:,}", texts["yes" if totals.made.get(name) == events else "no"])
    is_right = totals.made == totals.written
    table.add_row(texts["sum"], f"{sum(totals.written.values()):,}", texts["yes" if is_right else "no"])
    return table


def _money(totals: Totals, texts: dict[str, str]) -> Table:
    table = Table(title=texts["money"].format(currency=totals.currency), title_justify="left")
    table.add_column(texts["field"], overflow="fold")
    table.add_column(texts["columns"], overflow="fold")
    shown = [name for name in SUMS if name in ("read", "written") or any(_sum(each, name) for each in totals.money)]
    for name in shown:
        table.add_column(texts[name], justify="right", no_wrap=True)
    table.add_column(texts["agrees"])
    for each in totals.money:
        amounts = [_in_units(_sum(each, name), totals.currency_digits) for name in shown]
        table.add_row(
            f"{each.event}\n{each.field.removesuffix('_minor')}",
            each.columns,
            *amounts,
            texts["yes" if each.agrees else "no"],
        )
    return table


def _sum(money: MoneyTotal, name: str) -> Decimal:
    amount: Decimal | int = getattr(money, f"{name}_minor")
    return Decimal(amount)


def _in_units(minor: Decimal, digits: int) -> str:
    """An amount in whole currency units, with every digit that it has; nothing for zero."""
    if not minor:
        return ""
    exact = minor.scaleb(-digits, context=EXACT)
    decimals = max(digits, -int(exact.normalize(context=EXACT).as_tuple().exponent))
    return f"{exact:,.{decimals}f}"
