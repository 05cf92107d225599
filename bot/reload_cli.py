"""`ohlora reload`: asks every process of this machine, and says what became of it."""

import os
import signal

import typer
from rich.console import Console
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from bot import config
from bot.running import Answer, Process, processes

_WAIT_S = 30.0
_LOOK_AGAIN_S = 0.05


def reload() -> None:
    """Have the processes that serve read texts, thresholds, ladders and what places chose again."""
    console = Console(highlight=False, soft_wrap=True)
    asked = [(process, process.answer, _ask(process)) for process in processes(config.load().data_dir)]
    if not asked:
        console.print("Nobody is serving with this data folder on this machine.")
        raise typer.Exit(1)
    failed = False
    for process, before, wrong in asked:
        wrong, said = (wrong, "") if wrong else _outcome(process, before)
        console.print(f"{process.role} ({process.pid}): {wrong or said}", markup=False)
        failed = failed or bool(wrong)
    if failed:
        raise typer.Exit(1)


def _ask(process: Process) -> str:
    """Why it could not be asked; "" when it was."""
    try:
        os.kill(process.pid, signal.SIGHUP)
    except OSError as error:
        return f"could not be asked ({error.strerror})"
    return ""


def _outcome(process: Process, before: Answer) -> tuple[str, str]:
    """(what is wrong, or else what it did)."""
    answer = _next_answer(process, before)
    if answer is None:
        return ("did not answer; see its log" if process.alive else "has ended"), ""
    if answer.refused:
        return f"refused, and goes on as before: {answer.refused}", ""
    needed = f"; needs a restart: {', '.join(answer.restart)}" if answer.restart else ""
    return "", f"reloaded{needed}"


def _next_answer(process: Process, before: Answer) -> Answer | None:
    def newer() -> Answer | None:
        answer = process.answer
        return answer if answer.number != before.number else None

    def waits(answer: Answer | None) -> bool:
        return answer is None and process.alive

    looking = Retrying(
        retry=retry_if_result(waits),
        wait=wait_fixed(_LOOK_AGAIN_S),
        stop=stop_after_delay(_WAIT_S),
        retry_error_callback=lambda _: None,
    )
    return looking(newer)
