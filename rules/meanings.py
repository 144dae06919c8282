"""What the words of a rule file mean beside its fields: an editor shows it, and so does the reference."""

STATUSES = {
    "draft": "checked and tested, and decides nothing",
    "shadow": "decides, and tells nobody",
    "live": "decides, and its alerts and tasks go out",
    "retired": "kept for the record, with a reason, and decides nothing",
}
SEVERITIES = {
    "low": "to be answered within ten working days, as a default",
    "medium": "within five working days",
    "high": "within two working days",
    "critical": "on the same day",
}
KEYS = {
    "borrower_id": "one alert for the borrower, over all loans and accounts",
    "loan_id": "one alert for each loan",
    "account_id": "one alert for each account",
}
ACROSS = {
    "worst": "the worst of them, for fields and facts of which it is known which end is worse",
    "sum": "all of them together",
    "average": "their average",
}
RELATIONS = {
    "guarantor": "whoever guarantees this borrower",
    "guaranteed": "whom this borrower guarantees",
    "group": "the other members of its group",
    "spouse": "husband or wife",
    "employer": "whoever employs this borrower",
}
FACTS = {
    "days_past_due": "days since the oldest due date that is not fully paid; 0 on that date itself",
    "arrears": "the sum that is past due",
    "exposure": "the principal outstanding",
    "outstanding": "the same under another name",
    "open_loans": "how many loans of the borrower are open, whatever `per` says",
    "instalments_missed": "instalments that are past due and not fully paid",
    "instalments_left": "instalments that are not fully paid, past due or yet to come",
    "material_days": "consecutive days on which arrears exceeded every limit of `materiality` in the settings",
    "collateral_value": "the value of the collateral, as it was told last",
    "rate": "the yearly interest rate, as it was told last",
}
IDS = {
    "borrower_id": "whose event it is; B1 when absent",
    "loan_id": "of which loan; L1 when absent",
    "account_id": "of which account; A1 when absent",
    "id": "the id of the event, for a reversal to name",
    "source": "the system that sent it",
    "reverses": "the id of the payment that is taken back",
    "currency": "its currency; the reporting currency when absent",
}
UNITS = {
    "amount": "an amount in whole currency units",
    "share": "a share of 1, such as 0.85",
    "days": "days",
    "count": "a whole number",
    "number": "a whole number",
    "text": "a text",
    "date": "a day of the case, or a date",
    "flag": "true or false",
}
