"""The demo starts clean, and only where it has been before."""

import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.demo import place


def test_a_folder_with_someones_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    with pytest.raises(place.NotOurs, match="--var"):
        place.clean_folder(tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_a_folder_of_a_former_demo_starts_empty(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    place.clean_folder(folder)
    (folder / "old.pdf").write_text("old")

    place.clean_folder(folder)

    assert [p.name for p in folder.iterdir()] == [place.MARKER_FILE]


def test_a_database_with_someones_tables_is_refused_and_kept(database_url: str) -> None:
    with pytest.raises(place.NotOurs, match="empty database of its own"):
        place.clean_database(database_url)

    engine = sa.create_engine(database_url)
    assert len(sa.inspect(engine).get_table_names()) > 5
    engine.dispose()


def test_a_database_of_a_former_demo_starts_empty(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.sqlite'}"
    place.clean_database(url)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE seal (id INTEGER)"))
    engine.dispose()

    place.clean_database(url)

    assert sa.inspect(sa.create_engine(url)).get_table_names() == [place.MARKER_TABLE]


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(place.NotOurs, match=f"{port}.*--port"):
            place.check_port("127.0.0.1", port, "--port")
