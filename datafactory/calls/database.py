"""The SQLite file of a ledger: its tables, and how it is opened for writing and for reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from datafactory.errors import DataError, StorageError

CALLS = "calls.sqlite"
"""The ledger's name in a run's folder."""
ASIDE = (CALLS, f"{CALLS}-wal", f"{CALLS}-shm")
"""Everything that belongs to it: what a killed run wrote last may still be in the `-wal` file."""
OURS = 0x64664C31
"""SQLite's application_id of our files."""
VERSION = 1
WAIT = 60.0
"""Seconds that a lock of another process is waited for."""
LOG_PAGES = 4000
"""Pages (4 KiB) of the write-ahead log from which on they are moved into the database."""

SCHEMA = f"""
BEGIN;
CREATE TABLE calls (
    key BLOB PRIMARY KEY, stage TEXT NOT NULL, scope TEXT NOT NULL, teacher TEXT NOT NULL, model TEXT NOT NULL,
    prompt_tokens INT NOT NULL, cached_tokens INT NOT NULL, completion_tokens INT NOT NULL,
    seconds REAL NOT NULL, dollars REAL NOT NULL, at TEXT NOT NULL, reply BLOB NOT NULL
);
CREATE INDEX calls_of_a_scope ON calls (scope);
CREATE TABLE spent (
    stage TEXT, teacher TEXT, model TEXT, calls INT, prompt_tokens INT, cached_tokens INT, completion_tokens INT,
    seconds REAL, dollars REAL, PRIMARY KEY (stage, teacher, model)
) WITHOUT ROWID;
CREATE TABLE gpus (
    id TEXT PRIMARY KEY, teacher TEXT NOT NULL, gpus INT NOT NULL, seconds REAL NOT NULL, dollars REAL NOT NULL,
    began TEXT NOT NULL
);
PRAGMA application_id = {OURS};
PRAGMA user_version = {VERSION};
COMMIT;
"""


_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
}
"""The file may be good; the disk, or who else uses it, is not."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Says what SQLite cannot read, and the way out. Raises DataError; StorageError where the disk refuses."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK:
            raise StorageError(f"{path}: {error}") from error
        raise broken(path, str(error)) from error


def broken(path: Path, said: str) -> DataError:
    """The file is no ledger, or a damaged one."""
    way = "put a good copy in its place, or run with --ask-again, which sets it aside and pays for every answer anew"
    return DataError(f"{path}: not a readable ledger of calls ({said}); {way}")


def connect(path: Path) -> sqlite3.Connection:
    """The file, made where there is none; safe on disk at each commit. Raises DataError, StorageError."""
    with readable(path):
        # One thread at a time uses a connection; which one does not matter to SQLite.
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            if _empty(connection):
                connection.execute(
                    "PRAGMA journal_mode = WAL"
                )  # a file system without shared memory keeps its own mode
                connection.executescript(SCHEMA)
            _check(path, connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The file for reading, also while a run writes to it; None: nothing is there. Raises DataError."""
    if path.exists() and not path.is_file():
        raise broken(path, "it is no file")
    if not path.exists() or not path.stat().st_size:
        yield None
        return
    with readable(path), closing(_for_reading(path)) as connection:
        if _empty(connection):
            yield None
            return
        _check(path, connection)
        yield connection


def _for_reading(path: Path) -> sqlite3.Connection:
    place = path.resolve().as_uri()
    connection = sqlite3.connect(f"{place}?mode=ro", uri=True, timeout=WAIT)
    try:
        connection.execute("PRAGMA schema_version")
        return connection
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{path}-wal").exists():
            raise
    return sqlite3.connect(f"{place}?immutable=1", uri=True)  # a folder where no lock may be made


def _empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever put in: the process that made the file was killed before it came to that."""
    marks = (_pragma(connection, "application_id"), _pragma(connection, "user_version"))
    return marks == (0, 0) and not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _check(path: Path, connection: sqlite3.Connection) -> None:
    if _pragma(connection, "application_id") != OURS:
        raise broken(path, "it is a database of something else")
    if (version := _pragma(connection, "user_version")) != VERSION:
        raise broken(path, f"its version is {version}, and this program's is {VERSION}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    found: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return found
