"""gunicorn ends when the process that started it is gone: whoever holds the other end of its standard input."""
import os
import signal
import sys
import threading


def when_ready(server):
    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGQUIT)

    threading.Thread(target=wait, daemon=True).start()
