"""The command line, from click."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from dpsql.cli import main
from tools.reference.markdown import code, table


def page() -> str:
    """Every command with its arguments and options."""
    context = click.Context(main, info_name="dpsql")
    parts = [
        "# The command line\n\nData goes to standard output, all else to standard error. Exit codes"
        " are in [errors.md](errors.md).\n"
    ]
    parts += [_section(words, command) for words, command in _commands("dpsql", main, context)]
    return "\n".join(parts)


def _commands(
    words: str, command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(f"{words} {name}", inner, context)


def _section(words: str, command: click.Command) -> str:
    cleaned = inspect.cleandoc((command.help or "").replace("\b", ""))
    about, _, example = cleaned.partition("Example:")
    text = f"## {words}\n\n{about.strip()}\n"
    if example.strip():
        text += "\n```\n" + inspect.cleandoc(example) + "\n```\n"
    rows = [_row(param) for param in command.params]
    return text + ("\n" + table(("argument", "meaning"), rows) if rows else "")


def _row(param: click.Parameter) -> tuple[str, str]:
    if not isinstance(param, click.Option):
        name = param.metavar or (param.name or "").upper()
        return code(name), "needed" if param.required else "may be left out"
    spelled = [code(_with_value(name, param)) for name in (*param.opts, *param.secondary_opts)]
    text = param.help or ""
    if isinstance(param.envvar, str) and param.envvar not in text:
        text += f" [{param.envvar}]"
    if param.show_default and param.default is not None and not param.is_flag:
        text += f" [default: {param.default}]"
    return ", ".join(spelled), text + (" Repeatable." if _again(param) else "")


def _again(option: click.Option) -> bool:
    return option.multiple and "epeatable" not in (option.help or "")


def _with_value(name: str, option: click.Option) -> str:
    if option.is_flag or option.count:
        return name
    if isinstance(option.type, click.Choice):
        return f"{name} {'|'.join(map(str, option.type.choices))}"
    return f"{name} {option.metavar or option.type.name.upper()}"
