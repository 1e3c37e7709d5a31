# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Episodes and documents as rows: made, checked, stored and read.

- `rows` has the schema of a row, and `columns` the rules by which values of a gymnasium space fill its columns.
- `parquet` writes and reads files of rows; `files` finds them in a folder, behind a URL or on the Hub.
- `collect` makes demonstrations with several processes; a process makes one file at a time, as `chunks` describes.
- `source` gives training the rows of a task by number, from `arrow_rows`; `prompts` picks one to show a model.
- `checks` finds what is wrong in rows from elsewhere, and `exchange` brings them from JAT and Minari.
"""
