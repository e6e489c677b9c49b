"""What the supervisor starts: `python -m app.workers CHANNEL LISTENING LOCK`, file descriptors that it inherits."""

import sys

from app.workers.worker import main

sys.exit(main(*map(int, sys.argv[1:])))
