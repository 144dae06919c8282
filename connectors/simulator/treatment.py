"""What collections did yesterday, and what it changes. Its draws come from a stream of their own.

So a run with contacts differs from one without only by what the contacts change.
"""

from random import Random

from connectors.simulator import wire
from connectors.simulator.loans import plan_try, reschedule
from connectors.simulator.state import Borrower, Contact
from connectors.simulator.world import World


def treat(b: Borrower, w: World, contact: Contact) -> None:
    """A contact reaches some; who is reached pays sooner, if the money is there; an offer may be taken."""
    chance = Random(f"{w.seed}:{b.number}:{b.today}:{contact.kind}")
    is_reached = chance.random() < getattr(w.figures.contacts.reached, contact.kind)
    task = f',"task_id":"{contact.task_id}"' if contact.task_id else ""
    channel = "phone" if contact.kind in ("call", "restructure") else contact.kind
    b.now = max(b.now, b.at(9.5))
    answered = "true" if is_reached else "false"
    wire.tell(b, w, "contact.attempted", "collections", f',"channel":"{channel}","answered":{answered}{task}')
    if not is_reached or not b.pays:
        return
    b.will_until = b.today + w.figures.contacts.willing_days
    late = [n for n, loan in enumerate(b.loans) if loan.status == "open" and loan.unpaid]
    for n in late:
        plan_try(b, n, b.at(18.0))
    if contact.kind == "restructure" and late and chance.random() < w.figures.contacts.accepted:
        n = late[0]
        if not b.loans[n].limit:
            reschedule(b, w, n)
