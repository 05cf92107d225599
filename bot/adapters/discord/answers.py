"""Acknowledging what people do, and showing them the answer: to nobody but who asked."""

import io
import logging
from typing import Any

import discord

from bot.adapters.desk import Answer, Form, Rows
from bot.adapters.discord.markup import messages

log = logging.getLogger(__name__)

Interaction = discord.Interaction[discord.Client]

# how custom_ids of buttons and forms begin; the rest is what the commands want back
_BUTTON, _FORM = "button:", "form:"
_ALTERNATIVE_TEXT = 1024
# a host may have written longer ones
_ON_A_BUTTON, _IN_A_FORM = 80, 45


async def acknowledged(interaction: Interaction, *, thinking: bool = False) -> bool:
    """Whether Discord takes it as new and in time; one that is handed in again is neither, and counts for nothing."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=thinking)
    except discord.HTTPException as error:
        _not_taken(interaction, error)
        return False
    return True


async def ask_for(interaction: Interaction, form: Form, data: str) -> None:
    """Show a form instead of an acknowledgement; `data`: of the button that wants it."""
    modal = discord.ui.Modal(title=form.title[:_IN_A_FORM], custom_id=f"{_FORM}{data}")
    for number, field in enumerate(form.fields):
        written: discord.ui.TextInput[discord.ui.View] = discord.ui.TextInput(
            style=discord.TextStyle.long if field.long else discord.TextStyle.short,
            custom_id=str(number),
            required=field.needed,
            max_length=field.longest,
        )
        modal.add_item(discord.ui.Label(text=field.label[:_IN_A_FORM], component=written))
    modal.stop()  # what comes back is known by its custom_id, also after a restart
    try:
        await interaction.response.send_modal(modal)
    except discord.HTTPException as error:
        _not_taken(interaction, error)


async def show(interaction: Interaction, answer: Answer, *, aside: bool = False) -> None:
    """In the place of the acknowledgement, or beside what is there; past its 15 minutes as private messages."""
    parts = messages(answer.text) or ["…"]
    last = len(parts) - 1
    try:
        for number, part in enumerate(parts):
            view = buttons(answer.buttons if number == last else ())
            files = _files(answer) if number == last else []
            if number or aside:
                await interaction.followup.send(part, files=files, view=view, ephemeral=True)
            else:
                await interaction.edit_original_response(content=part, attachments=files, view=view)
    except discord.HTTPException as error:
        if not interaction.is_expired():
            log.error("a command's answer was not taken: %s", error)
            return
        for number, part in enumerate(parts):
            await interaction.user.send(part, files=_files(answer) if number == last else [])


def buttons(rows: Rows) -> discord.ui.View:
    """What they do stands in the record, so the library need not listen for them."""
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows):
        for button in row:
            label, custom_id = button.label[:_ON_A_BUTTON], f"{_BUTTON}{button.data}"
            view.add_item(discord.ui.Button(label=label, custom_id=custom_id, row=number))
    view.stop()
    return view


def data_of(interaction: Interaction) -> str:
    """What the button that was pressed, or the form that was filled in, hands back; "" when it is none of ours."""
    given: Any = interaction.data or {}
    custom_id = str(given.get("custom_id", ""))
    prefix = _FORM if interaction.type is discord.InteractionType.modal_submit else _BUTTON
    return custom_id.removeprefix(prefix) if custom_id.startswith(prefix) else ""


def filled_in(interaction: Interaction) -> tuple[str, ...]:
    """What was written into a form, field by field."""
    given: Any = interaction.data or {}
    return tuple(str(label["component"]["value"]) for label in given.get("components", ()))


def _not_taken(interaction: Interaction, error: discord.HTTPException) -> None:
    """Only numbers: what people wrote stays out of the log."""
    log.warning(
        "refused: interaction %d of discord:%d is handed in again, or came too late: %s",
        interaction.id,
        interaction.user.id,
        error,
    )


def _files(answer: Answer) -> list[discord.File]:
    """Anew for each message: the library closes files."""
    told = answer.text[:_ALTERNATIVE_TEXT]
    return [discord.File(io.BytesIO(file.content), file.name, description=told) for file in answer.files]
