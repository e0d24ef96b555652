"""The store: sealed tables, addressed by what went into them.

A table is a folder `<stage>/<key>/` with Parquet shards (zstd) and a `manifest.json`. It is written in a folder
of another name; the manifest is written last and the folder is renamed into place, so a table that can be seen
is whole, whatever was killed when. The table's digest is computed over its rows, not over Parquet's bytes: it
does not depend on the writer's version, on shard sizes, or on durations.
"""

from __future__ import annotations

from reasonry.store.disk import is_file_of, write_durably
from reasonry.store.manifest import Manifest, Shard, StoredFile
from reasonry.store.reading import Store
from reasonry.store.writing import TableWriter, work_folder

__all__ = ["Manifest", "Shard", "Store", "StoredFile", "TableWriter", "is_file_of", "work_folder", "write_durably"]
