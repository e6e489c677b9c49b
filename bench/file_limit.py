"""As many open files as the kernel allows us: a thousand connections and the files of nginx's cache need them."""

import resource


def raise_file_limit() -> None:
    """What is started later inherits it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
