"""What a test tells an emulated device to do wrong, request by request."""

from __future__ import annotations

import errno
import threading

from tests.emulation.emulation import Place

OK = "ok"


class Faults:
    """Words that the test told by `Namespace.tell`, each for one request.

    A word is `ok`, the name of an errno, or a word that the emulation knows. The last one counts
    for all further requests if it ends in `*`; else they are `ok`.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._told: tuple[int, int] | None = None
        self._words: list[str] = []
        self._lock = threading.Lock()

    def next(self) -> str:
        """Returns the word for the next request.

        Raises:
            OSError: the word is the name of an errno.
        """
        with self._lock:
            self._look()
            word = self._words[0].removesuffix("*") if self._words else OK
            if self._words and not self._words[0].endswith("*"):
                del self._words[0]
        number = getattr(errno, word, None)
        if isinstance(number, int):
            raise OSError(number, "told to fail")
        return word

    def _look(self) -> None:
        file = self._place.folder / "told"
        if file.exists():
            state = file.stat()
            told = (state.st_ino, state.st_mtime_ns)
            if told != self._told:
                self._told, self._words = told, file.read_text().split()
