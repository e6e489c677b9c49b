"""Several processes that answer: a supervisor, which starts them and runs the admin side, and its workers."""
