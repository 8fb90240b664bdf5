"""Files of spectra, measured and predicted: one module per format, all in one table.

`formats` holds the table, `base` says what a format is. `read` and `write` only look formats up
there, and so does the command line. A new format is one module with a ``FORMAT``, and one line
in the table. What formats share: `columns` (a table -> energy and mu), with `names` (what beamlines
call columns), `formula` and `axis`; for texts `text`, with `numbers`, `blocks` and `labels`; `scan`
(what a reader gives) and `facts` (what a writer tells of a curve).
"""
