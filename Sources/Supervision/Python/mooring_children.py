"""Signals of the processes that the application forks."""

import os
import signal
import threading

SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def end_at_once(*_):
    """On SIGTERM, while the application is still being loaded."""
    os._exit(0)


class Children:
    """Gives forked children the handlers that the application chose, or none.

    With the server's own a child would not end on SIGTERM: `multiprocessing.Pool` waits for that
    without a limit, and so does Mooring, until `stop_timeout`, when it stops the process.
    """

    def __init__(self):
        self.chosen = {}
        self.before = threading.local()
        signal.signal(signal.SIGTERM, end_at_once)
        os.register_at_fork(before=self.hold, after_in_parent=self.release, after_in_child=self.restore)

    def note_choice(self):
        """Call it when the application is loaded, and the server has not started yet."""
        self.chosen = {number: signal.getsignal(number) for number in SIGNALS}

    def hold(self):
        """Blocks signals: those that arrive before the child has its handlers would be lost."""
        self.before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def release(self):
        signal.pthread_sigmask(signal.SIG_SETMASK, self.before.mask)

    def restore(self):
        for number in SIGNALS:
            handler = signal.getsignal(number)
            chosen = self.chosen.get(number, handler)
            if chosen is end_at_once:
                chosen = signal.SIG_DFL
            # None: not set by Python, and Python cannot set it.
            if chosen is not None and handler is not None and handler != chosen:
                signal.signal(number, chosen)
        # Otherwise a signal to the child would wake up the parent's server.
        signal.set_wakeup_fd(-1)
        self.release()
