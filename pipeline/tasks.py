"""Collection tasks: one open task per borrower and queue, however many alerts ask for it."""

from pipeline.decisions import Alert, CollectionTask, ShadowAlert
from pipeline.memory import Memory, Task
from pipeline.shelf import CompiledShelf
from rules.rule import SEVERITIES


def follow(shelf: CompiledShelf, memory: Memory, alerts: list[Alert], on: int) -> list[CollectionTask]:
    """What the alerts of one look change in the borrower's tasks: at most one revision a queue."""
    touched: dict[str, dict[str, tuple[int, str, str]]] = {}
    for alert in alerts:
        if isinstance(alert, ShadowAlert):
            continue
        if alert.transition == "closed":
            for queue, task in memory.head.tasks.items():
                if alert.episode in touched.get(queue, task.alerts):
                    touched.setdefault(queue, dict(task.alerts)).pop(alert.episode)
            continue
        wanted = shelf.rules[alert.rule].task
        if wanted is not None:
            task = memory.head.tasks.setdefault(wanted.queue, Task(n=memory.head.numbered))
            asking = touched.setdefault(wanted.queue, dict(task.alerts))
            due_by = asking[alert.episode][2] if alert.episode in asking else shelf.terms.due_by(on, wanted.due_in)
            asking[alert.episode] = (SEVERITIES.index(alert.severity), wanted.action, due_by)
    revisions = (_revise(memory, queue, asking) for queue, asking in touched.items())
    return [revision for revision in revisions if revision is not None]


def _revise(memory: Memory, queue: str, asking: dict[str, tuple[int, str, str]]) -> CollectionTask | None:
    task = memory.head.tasks[queue]
    if not task.is_open:
        if not asking:
            return None
        task.n, task.revision, task.is_open, task.has_begun = task.n + 1, 0, True, False
        return _written(memory, queue, _with(task, asking), "open")
    if not asking and not task.has_begun:
        cancelled = _written(memory, queue, task, "cancelled")
        task.is_open, task.alerts = False, {}
        return cancelled
    memory.note_change("task", queue)
    before = (list(task.alerts), task.action, task.due_by)
    _with(task, asking)
    return None if before == (list(task.alerts), task.action, task.due_by) else _written(memory, queue, task, "updated")


def _with(task: Task, asking: dict[str, tuple[int, str, str]]) -> Task:
    """The task for these alerts: the action of the worst (the first of equals), the earliest due date."""
    task.alerts = asking
    if asking:
        task.action = max(asking.values(), key=lambda alert: alert[0])[1]
        task.due_by = min(alert[2] for alert in asking.values())
    return task


def _written(memory: Memory, queue: str, task: Task, status: str) -> CollectionTask:
    memory.note_change("task", queue)
    task.revision += 1
    return told_as(memory, queue, task, status)


def told_as(memory: Memory, queue: str, task: Task, status: str) -> CollectionTask:
    """The current revision of a task, as it is told."""
    return CollectionTask(
        id=f"{queue}/{memory.borrower_id}/{task.n}",
        revision=task.revision,
        queue=queue,
        action=task.action,
        alerts=list(task.alerts),
        borrower_id=memory.borrower_id,
        status=status,  # type: ignore[arg-type]  # the callers write one of the four
        due_by=task.due_by,
    )


def begin(memory: Memory, task_id: str) -> None:
    """Somebody works on it: it is no longer cancelled when its alerts close."""
    task = _found(memory, task_id)
    if task is not None:
        task.has_begun = True
        memory.note_change("task", task_id.split("/", 1)[0])


def finish(memory: Memory, task_id: str) -> list[CollectionTask]:
    """Somebody is done with it; the next alert opens a new one."""
    task = _found(memory, task_id)
    if task is None or not task.is_open:
        return []
    done = _written(memory, task_id.split("/", 1)[0], task, "done")
    task.is_open, task.alerts = False, {}
    return [done]


def cancel_all(memory: Memory) -> list[CollectionTask]:
    """Cancel every open task, for a borrower who is to be forgotten."""
    return [_written(memory, queue, task, "cancelled") for queue, task in memory.head.tasks.items() if task.is_open]


def _found(memory: Memory, task_id: str) -> Task | None:
    for queue, task in memory.head.tasks.items():
        if task_id == f"{queue}/{memory.borrower_id}/{task.n}":
            return task
    return None
