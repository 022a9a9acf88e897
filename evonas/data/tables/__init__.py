"""Tables: from a file or a frame with columns to samples, targets, and a schema.

`content.py` reads bytes and says what they are. `text.py` cuts a CSV into rows. `cells.py` is a
table as it was found, whatever it came from. `kinds.py` infers what each column holds, and
`values.py` makes arrays of it. `disguise.py` looks for the target among the features. `schema.py`
is what was decided, as plain JSON, and `reading.py` puts all of it together.

polars reads and compares whole columns. It is imported where it is used: it takes 0.2 s.
"""
