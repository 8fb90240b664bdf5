"""cgxas serve: the page and its HTTP interface."""

from typing import Annotated

import typer

from cgxas.cli.messages import say
from cgxas.errors import MissingExtra, OutputError


def serve(
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Its number; 0 for any free one.")
    ] = 8000,
    token: Annotated[
        str,
        typer.Option(
            "--token",
            envvar="CGXAS_TOKEN",
            show_envvar=True,
            help="What callers must know; needed where others than this machine can call.",
        ),
    ] = "",
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME|PATH", help="What answers. Else: calibrated."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes that compute.")
    ] = 1,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Open a page in the browser: drop crystals and scans on it, and see their spectra.

    It needs no network. Other programs ask the same server at /api, described in /openapi.json.
    It answers this machine alone unless --host says otherwise; then callers need the token.
    """
    for module, package in (("fastapi", "fastapi"), ("uvicorn", "uvicorn"),
                            ("python_multipart", "python-multipart")):  # fmt: skip
        MissingExtra.refuse_without(module, package, "web")
    from cgxas.serve.run import listening, serve_on
    from cgxas.serve.settings import ServerSettings

    settings = ServerSettings(host, port, token, model, workers)
    try:
        socket = listening(settings)
    except OSError as error:
        raise OutputError(
            f"{host}:{port} cannot be listened at: {error.strerror or error}; choose another --port"
        ) from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{socket.getsockname()[1]}/"
    say(f"the page is at {address}{'#token=...' if token else ''}; Ctrl-C ends it")
    if open_:
        import webbrowser

        webbrowser.open(f"{address}#token={token}" if token else address)
    serve_on(socket, settings)
