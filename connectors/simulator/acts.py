"""The acts of a life by number, as they stand on an agenda."""

(
    OPENING,  # the first told day: what the bank knows so far
    INCOME,
    SEND_ON,  # a salary at another bank, moved here
    RENT,
    SPEND,
    BALANCES,  # weekly
    MONTH_END,
    BUREAU,  # monthly
    PAY_ELSEWHERE,
    NOTICE,  # a due is told
    DUE,
    MISSED,  # the core tells of a miss
    RETRY,  # arrears may be paid
    LATE,  # a due is 45 or 91 days past
    STATEMENT,
    CARD_DUE,
    INQUIRE,  # without need
    HOLIDAY,
    RECEIPT,
    SUPPLIES,
    PAYROLL,
    TAX,
    FINANCIALS,
    SHOCK,
    SHOCK_STEP,
    LOOK_ALIKE,
    LOOK_ALIKE_ENDS,
    BILL,  # a large one, unnamed
    RENEW,  # a new loan after the last was repaid
    USE,  # what a loan was taken for
) = range(30)
