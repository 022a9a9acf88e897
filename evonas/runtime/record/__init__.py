"""The record: one SQLite file for each run, one writer, and the only truth of what happened.

    layout.py        where the files of a run are, and the lock of the one process at work on it
    record.py        the writer: whole transactions only
    reader.py        the readers, also while the writer is at work
    open_record.py   what can be asked of either
    past.py          what earlier sessions have left for the engine
    news.py          what is new since a reader has looked
    schema.py        the tables of today; `migrations.py` leads there from an older record
    checksum.py      the sum over all rows, which shows what evonas did not write
    rows.py          trials and attempts as rows
    opening.py       SQLite's connections, and its errors in the words of evonas

Every other file of a run can be made again from it, or is checked against a sha256 in it.
"""
