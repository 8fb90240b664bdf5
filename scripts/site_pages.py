"""Pages of the documentation site that are made from the project: a hook of MkDocs.

The commands are printed by the command line itself; CONTRIBUTING.md and CHANGELOG.md stand at the
root of the repository, where people look for them.
"""

from collections.abc import Iterator
from pathlib import Path

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from cgxas.cli import app

ROOT = Path(__file__).parents[1]
COMMANDS = """# Commands

What `cgxas --help` and the help of every command print.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those that are found in docs/."""
    pages = {
        "reference/commands.md": "\n".join([COMMANDS, *_commands()]),
        "contributing.md": _from_root("CONTRIBUTING.md"),
        "changelog.md": _from_root("CHANGELOG.md"),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def _from_root(name: str) -> str:
    """Return a page of the root; its links to docs/ are those of the site."""
    return (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")


def _commands() -> Iterator[str]:
    """Yield a section for each command, groups before their members."""
    waiting = [("cgxas", typer.main.get_command(app), None)]
    while waiting:
        name, command, parent = waiting.pop(0)
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        with context:
            yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
        members = getattr(command, "commands", {})
        waiting[:0] = [(word, member, context) for word, member in members.items()]
