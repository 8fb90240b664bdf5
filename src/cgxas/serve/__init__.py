"""The page and its HTTP interface: requests -> a process that holds the model -> answers.

`app` describes the interface, `forms` reads what is sent, `guard` keeps out what is not wanted,
`queue` holds who waits, `worker` is the process that computes; `answers` and `curves` are what it
does there, `files` lends it what was sent. The page itself lies in ``page/``: plain ES modules and
one style sheet, without a build, so that what is read in the repository is what the browser runs.
"""
