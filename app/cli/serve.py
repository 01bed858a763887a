"""`yinxu serve`: gunicorn with threads, configured from the settings."""

import threading
from typing import Any

import click


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Overrides YINXU_LISTEN.")
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True, help="Web processes.")
@click.option("--check", is_flag=True, help="Only ask a running server how it is; for health checks.")
def command(listen: str | None, workers: int, check: bool) -> None:
    """Serve the pages and the agents' door until SIGTERM."""
    if check:
        raise SystemExit(_check(listen))
    from gunicorn.app.base import BaseApplication  # pyright: ignore[reportMissingTypeStubs]

    from app.factory import create_app
    from app.pdf.confined import warm_up
    from app.settings import Settings

    settings = Settings()

    class Server(BaseApplication):
        """gunicorn, told everything here: no configuration file is read."""

        def load_config(self) -> None:
            values: dict[str, Any] = {
                "bind": listen or settings.listen,
                "workers": workers,
                "threads": settings.web_threads,
                "worker_class": "gthread",
                "timeout": 60,
                # longer than any client or proxy keeps an idle connection: who closes first wins a race otherwise
                "keepalive": 75,
                "graceful_timeout": 5,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
            }
            for name, value in values.items():
                if name in self.cfg.settings:  # type: ignore[union-attr]
                    self.cfg.set(name, value)  # type: ignore[union-attr]

        def load(self) -> Any:
            app = create_app(settings)
            threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
            return app

    Server().run()


def _check(listen: str | None) -> int:
    """0 when the server on this machine answers its health page, 1 otherwise."""
    import httpx

    from app.settings import Settings

    port = (listen or Settings().listen).rsplit(":", 1)[-1]
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=4)
    except httpx.HTTPError as error:
        click.echo(f"no answer on port {port}: {error}", err=True)
        return 1
    click.echo(answer.text)
    return 0 if answer.status_code == 200 else 1
