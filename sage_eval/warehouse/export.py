"""A DuckDB file of views over the Parquet of warehouses, to be opened with DuckDB's own command line or any client.

The file holds no rows. What is opened this way is not sandboxed: whoever queries it may read and write any file that
they may, and the views read whatever lies at their paths by then.

    export(found, Path("warehouse.duckdb"))     # then: duckdb warehouse.duckdb
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from sage_data.errors import ConfigError, InputError
from sage_eval.warehouse.database import DatabaseError, open_file
from sage_eval.warehouse.opening import Opened, create_all

NOT_SANDBOXED = (
    "It holds views only, and no sandbox: DuckDB reads and writes whatever you may. "
    "sage eval sql stays the way to answer other people's SQL."
)


def export(found: Mapping[str | None, Opened], file: Path, *, relative: bool = False) -> None:
    """Write the views of warehouses into a new DuckDB file.

    Args:
        found: the warehouses, by name where they have one (see `opening.open_all`).
        file: the file to make; a view finds its Parquet by absolute paths.
        relative: paths relative to the file's folder instead, so that file and run can be moved together; DuckDB must
            then be started in that folder.

    Raises:
        ConfigError: something lies at `file` already.
        InputError: a warehouse's file is damaged.
    """
    if file.exists() or file.is_symlink():
        raise ConfigError(f"{file}: exists already; expected a new file", next_step="name another, or delete it")
    file.parent.mkdir(parents=True, exist_ok=True)
    # DuckDB names the database after its file, so the temporary one has the same name in another folder.
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=file.parent) as folder:
        temporary = Path(folder) / file.name
        start = file.parent.resolve() if relative else None
        connection = open_file(temporary, start)
        try:
            create_all(connection, found, start)
        except DatabaseError as error:
            raise InputError(f"cannot open the warehouse: {error}", next_step="run its stage again") from error
        finally:
            connection.close()
        temporary.replace(file)
