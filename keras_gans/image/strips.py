"""PNG files written in strips: no more of an image than a few rows has to be in memory."""

import struct
import zlib
from typing import IO

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of a PNG, by its number of channels: grey, grey with alpha, RGB, RGBA.
_COLORS = {1: 0, 2: 4, 3: 2, 4: 6}
_MOST = 2**21  # bytes filtered at once, which takes about twenty times as many
_LARGEST = 2**31 - 1  # a side, by the format


class PngWriter:
    """Writes a PNG row by row, from the top.

    >>> import io
    >>> file = io.BytesIO()
    >>> with PngWriter(file, 4, 3, 3) as writer:
    ...     writer.write(np.zeros((1, 4, 3), "uint8"))
    ...     writer.write(np.zeros((2, 4, 3), "uint8"))
    >>> file.getvalue()[1:4]
    b'PNG'

    Args:
        file: opened for writing bytes.
        width: of the image.
        height: of the image.
        channels: 1 for grey, 2 for grey with alpha, 3 for RGB, 4 for RGBA.
        bits: of each channel, 8 or 16.
        icc: colour profile.
        exif: as in a JPEG, without the leading `Exif`.
        level: of the compression, 0 to 9.

    Raises:
        ValueError: for rows of another shape or type, or another number of them.
    """

    def __init__(
        self,
        file: IO[bytes],
        width: int,
        height: int,
        channels: int,
        bits: int = 8,
        icc: bytes | None = None,
        exif: bytes | None = None,
        level: int = 6,
    ) -> None:
        if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
            raise ValueError(
                f"No PNG has such sides. Expected 1 to 2**31 - 1 pixels. Received: {width}x{height}"
            )
        self.file, self.width, self.height = file, width, height
        self.channels, self.bits, self.written = channels, bits, 0
        self._dtype = np.dtype("uint8") if bits == 8 else np.dtype("uint16")
        self._above = np.zeros((1, width * channels * bits // 8), "uint8")
        self._packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
        file.write(SIGNATURE)
        header = struct.pack(">IIBBBBB", width, height, bits, _COLORS[channels], 0, 0, 0)
        self._chunk(b"IHDR", header)
        if icc:
            self._chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
        if exif:
            self._chunk(b"eXIf", exif)

    def __enter__(self) -> "PngWriter":
        return self

    def __exit__(self, kind: object, *about: object) -> None:
        if kind is None:
            self.close()

    def write(self, rows: np.ndarray) -> None:
        """Writes the next rows, `(number, width, channels)` of `uint8`, or `uint16` of 16 bits."""
        fits = rows.dtype == self._dtype and rows.shape[1:] == (self.width, self.channels)
        if not fits or self.written + len(rows) > self.height:
            raise ValueError(
                f"These rows do not fit. Expected {self._dtype} of shape (number, {self.width}, "
                f"{self.channels}), {self.height - self.written} rows at most. "
                f"Received: {rows.dtype} of shape {rows.shape}"
            )
        number = max(_MOST // self._above.size, 1)
        for first in range(0, len(rows), number):
            part = rows[first : first + number]
            part = part.astype(">u2") if self.bits == 16 else part
            plain = np.frombuffer(part.tobytes(), "uint8").reshape(len(part), -1)
            packed = self._packer.compress(self._filtered(plain))
            if packed:
                self._chunk(b"IDAT", packed)
            self._above = plain[-1:]
        self.written += len(rows)

    def close(self) -> None:
        """Writes the end, which must be there."""
        if self.written != self.height:
            raise ValueError(
                f"The image is not complete. Expected {self.height} rows. Received: {self.written}"
            )
        self._chunk(b"IDAT", self._packer.flush())
        self._chunk(b"IEND", b"")

    def _chunk(self, kind, content):
        check = zlib.crc32(content, zlib.crc32(kind))
        self.file.write(struct.pack(">I", len(content)) + kind)
        self.file.write(content)
        self.file.write(struct.pack(">I", check))

    def _filtered(self, plain):
        """Rows as differences from their neighbours, by the filter that leaves least of each."""
        up = np.concatenate([self._above, plain[:-1]])
        left, corner = (self._shifted(x) for x in (plain, up))
        paeth = _paeth(*(x.astype("int16") for x in (left, up, corner)))
        found = np.stack([plain - left, plain - up, plain - paeth])
        sizes = np.minimum(found, -found).sum(axis=2, dtype="int64")  # as signed numbers
        best = sizes.argmin(axis=0)
        rows = np.empty((len(plain), plain.shape[1] + 1), "uint8")
        rows[:, 0] = np.array([1, 2, 4], "uint8")[best]
        rows[:, 1:] = found[best, np.arange(len(plain))]
        return rows.tobytes()

    def _shifted(self, rows):
        """Each pixel's left neighbour."""
        size = self.channels * self.bits // 8
        moved = np.zeros_like(rows)
        moved[:, size:] = rows[:, :-size]
        return moved


def _paeth(left, up, corner):
    """The neighbour that is nearest to `left + up - corner` (PNG, section 9.4)."""
    by_left, by_up = np.abs(up - corner), np.abs(left - corner)
    by_corner = np.abs(left + up - 2 * corner)
    first = (by_left <= by_up) & (by_left <= by_corner)
    return np.where(first, left, np.where(by_up <= by_corner, up, corner)).astype("uint8")
