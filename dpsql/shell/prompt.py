"""Reading from a terminal with prompt_toolkit: editing, history, completion, colours, a toolbar."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth, Output, create_output
from prompt_toolkit.styles import Style

from dpsql.shell.backslash import complete_command
from dpsql.shell.completion import suggest
from dpsql.shell.highlight import STYLES, painted
from dpsql.shell.history import history_file
from dpsql.shell.lines import MORE, PROMPT, YES, Block
from dpsql.shell.statements import complete
from dpsql.shell.vocabulary import Vocabulary, functions

MENU_LINES = 6


class Prompt:
    """One terminal for the whole shell. What Enter accepts is a block of its own."""

    interactive = True

    def __init__(
        self,
        words: Vocabulary,
        *,
        dialect: str,
        colour: bool,
        given_input: Input | None = None,
        given_output: Output | None = None,
    ) -> None:
        self._status = ""
        self._history = _history()
        # A redirected stdout gets answers alone: then stderr is the terminal that is drawn on.
        output = given_output or create_output(always_prefer_tty=True)
        depth = None if colour else ColorDepth.DEPTH_1_BIT
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            input=given_input,
            output=output,
            color_depth=depth,
            style=_style(colour),
            history=self._history,
            lexer=_Colours() if colour else None,
            # Without colour a suggestion would look like what was typed.
            auto_suggest=AutoSuggestFromHistory() if colour else None,
            completer=_Words(words),
            complete_while_typing=True,
            reserve_space_for_menu=MENU_LINES,
            multiline=True,
            prompt_continuation=_continuation,
            key_bindings=_keys(lambda text: complete(text, dialect)),
            bottom_toolbar=lambda: self._status,
        )
        self._questions: PromptSession[str] = PromptSession(
            input=given_input, output=output, color_depth=depth
        )

    def read(self, *, pending: bool) -> Block:
        """What was typed. KeyboardInterrupt at Ctrl-C, EOFError at Ctrl-D on an empty line."""
        return Block(self._session.prompt(MORE if pending else PROMPT), ends=True)

    def ask(self, question: str) -> bool:
        """Yes or no; anything but yes is no, and so are Ctrl-C and Ctrl-D."""
        try:
            return self._questions.prompt(f"{question} [y/N] ").strip().casefold() in YES
        except (KeyboardInterrupt, EOFError):
            return False

    def status(self, text: str) -> None:
        self._status = f" {text} "


def _continuation(width: int, _line: int, wraps: int) -> str:
    """Before the second and later lines; a line that is merely too long is no new one."""
    return " " * width if wraps else MORE


class _Words(Completer):
    def __init__(self, words: Vocabulary) -> None:
        self._words = words

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        before, after = document.text_before_cursor, document.text_after_cursor
        found = complete_command(before, self._words)
        if found is None:
            asked = event.completion_requested
            found = suggest(before, after, self._words, asked=asked)
        for one in found:
            yield Completion(one.text, start_position=-one.length, display_meta=one.about)


class _Colours(Lexer):
    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines: list[StyleAndTextTuples] = [[]]
        for kind, text in painted(document.text, functions()):
            first, *rest = text.split("\n")
            lines[-1].append((kind, first))
            lines += [[(kind, part)] for part in rest]
        return lambda number: lines[number] if number < len(lines) else []


class _SafeHistory(FileHistory):
    """A disk that is full, or a byte that is no character, must not end the session."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string.encode(errors="replace").decode())
        except OSError:
            return


def _history() -> History:
    path = history_file()
    return InMemoryHistory() if path is None else _SafeHistory(str(path))


def _style(colour: bool) -> Style:
    plain = {"bottom-toolbar": "noreverse"}
    return Style.from_dict(
        {**plain, **STYLES, "bottom-toolbar": "noreverse ansibrightblack"} if colour else plain
    )


def _keys(runs: Callable[[str], bool]) -> KeyBindings:
    """Enter takes the chosen completion; else it runs what is complete, and else breaks the line.

    Alt-Enter runs whatever stands there. Ctrl-D on an empty line leaves.
    """
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif runs(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=True)

    # On a line with text, or above others, Ctrl-D deletes a character as everywhere.
    @keys.add("c-d", filter=Condition(_on_an_empty_last_line))
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError, style="class:exiting")

    return keys


def _on_an_empty_last_line() -> bool:
    document = get_app().current_buffer.document
    return document.on_last_line and not document.current_line.strip()
