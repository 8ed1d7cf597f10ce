# SPDX-License-Identifier: GPL-2.0-only
"""The lines of a recording, whatever it is packed in: plain, gzipped, UTF-16, with any line ends.

A file is streamed, never held as a whole. What is no text is refused with the command that makes
text of it.
"""

import codecs
import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from krcsim.base.errors import KrcsimError

CHUNK = 1 << 20  # bytes
LONGEST_LINE = 1 << 16  # bytes; what is longer is cut into pieces that nobody understands
LONGEST_MAP = 1 << 24  # the same of a line of JSON, which holds a whole map

# How files begin that hold a recording, but not as text.
_NOT_TEXT = (
    (b"\x17\x08\x44tracing", "a trace.dat", "trace-cmd report FILE > trace.txt"),
    (b"PERFILE2", "a perf.data", "perf script -i FILE > trace.txt"),
    (b"2ELIFREP", "a perf.data", "perf script -i FILE > trace.txt"),
    (b"\xfd7zXZ\x00", "compressed with xz", "xz -d FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "zstd -d FILE"),
    (b"BZh", "compressed with bzip2", "bzip2 -d FILE"),
    (b"PK\x03\x04", "a zip archive", "unzip FILE"),
)
_ZIPPED = b"\x1f\x8b"
_ENCODINGS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
BOMB = 1 << 24  # bytes that anything may unpack to
MOST_TIMES_LARGER = 200  # unpacked than packed; text of recordings is 10 to 50 times larger

Progress = Callable[[int, int], None]  # bytes of the file that were read, and all of them


class Text:
    """A file as lines of bytes; `notes` says what was wrong with how it is packed."""

    def __init__(self, path: Path, progress: Progress = lambda _done, _size: None) -> None:
        self.path = path
        self.notes: list[str] = []
        self.is_cut = False  # whether the line that was given last may go on behind the end
        self._digest = hashlib.blake2b(digest_size=16)
        self._progress = progress

    @property
    def digest(self) -> bytes:
        """What tells this text from others, once it was read."""
        return self._digest.digest()

    def lines(self) -> Iterator[bytes]:
        """Its lines, without their ends; raises KrcsimError for what cannot be read as text."""
        rest = b""
        for part in self._parts():
            self._digest.update(part)
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line.rstrip(b"\r")
            longest = LONGEST_MAP if rest.startswith(b'{"') else LONGEST_LINE
            while len(rest) > longest:
                yield rest[:longest]
                rest = rest[longest:]
        if rest := rest.rstrip(b"\r"):
            if is_cut := rest[-1:].isalnum():
                self.notes.append(
                    f"the last line of {self.path} has no end, and may be cut in a number: nothing "
                    "is made of it; if it is whole, end it"
                )
            self.is_cut = is_cut
            yield rest

    def _parts(self) -> Iterator[bytes]:
        """The text in parts, in a code of which ASCII is a part."""
        try:
            with os.fdopen(_opened(self.path), "rb") as stream:
                yield from self._decoded(stream)
        except OSError as exc:
            raise KrcsimError(
                f"{self.path} cannot be read ({exc.strerror or exc}); give a file with a recording"
            ) from None

    def _decoded(self, stream: BufferedReader) -> Iterator[bytes]:
        size = os.fstat(stream.fileno()).st_size
        begin = stream.read(16)
        stream.seek(0)
        is_zipped = begin.startswith(_ZIPPED)
        source: gzip.GzipFile | BufferedReader = (
            gzip.GzipFile(fileobj=stream) if is_zipped else stream
        )

        part = self._read(source)
        _refuse_what_is_no_text(self.path, part)
        code = next((code for mark, code in _ENCODINGS if part.startswith(mark)), "")
        decoder = codecs.getincrementaldecoder(code)("replace") if code else None
        unpacked = 0
        while part:
            unpacked += len(part)
            if is_zipped and unpacked > BOMB + MOST_TIMES_LARGER * size:
                raise KrcsimError(
                    f"{self.path} unpacks to more than {MOST_TIMES_LARGER} times its size, as no "
                    "recording does; look at it with gzip -dc FILE | head, and give what is in it"
                )
            yield decoder.decode(part).encode("utf-8", "replace") if decoder else part
            self._progress(min(size, stream.tell()), size)
            part = self._read(source)

    def _read(self, source: gzip.GzipFile | BufferedReader) -> bytes:
        """The next part; what is compressed may end early, or in the middle of something else."""
        try:
            return source.read1(CHUNK)
        except EOFError:
            self.notes.append(f"{self.path} was cut short; what there is was read")
        except (gzip.BadGzipFile, zlib.error):
            self.notes.append(f"{self.path} is damaged; what stands before that was read")
        return b""


def _opened(path: Path) -> int:
    """A descriptor of a regular file; raises OSError, also for what would never end."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no regular file")
    return handle


def _refuse_what_is_no_text(path: Path, first: bytes) -> None:
    for begin, what, command in _NOT_TEXT:
        if first.startswith(begin):
            raise KrcsimError(f"{path} is {what}, and no text; make text of it: {command}")

    is_utf16 = any(first.startswith(mark) for mark, _ in _ENCODINGS)
    if b"\0" in first[:4096] and not is_utf16:
        raise KrcsimError(
            f"{path} holds bytes that no text has; give what the recorder, trace_pipe, trace-cmd "
            "report, perf script or bpftrace wrote"
        )
