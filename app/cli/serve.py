"""`yinxu serve`: gunicorn with threads, configured from the settings."""

from typing import Any

import click


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Overrides YINXU_LISTEN.")
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True, help="Web processes.")
def command(listen: str | None, workers: int) -> None:
    """Serve the pages and the agents' door until SIGTERM."""
    from gunicorn.app.base import BaseApplication  # pyright: ignore[reportMissingTypeStubs]

    from app.factory import create_app
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
                "graceful_timeout": 5,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
            }
            for name, value in values.items():
                if name in self.cfg.settings:  # type: ignore[union-attr]
                    self.cfg.set(name, value)  # type: ignore[union-attr]

        def load(self) -> Any:
            return create_app(settings)

    Server().run()
