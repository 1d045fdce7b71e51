"""Measures time and memory of the local server for many requests, and for hostile ones.

    python benchmarks/serving_load.py [--clients 8] [--seconds 20] [--requests 2000]

Two small networks are exported and served on loopback by a process of its own. First one client
asks for one image again and again, on a kept connection and on new ones. Then requests that are
small and cost much, unless something bounds them, are sent one by one. Then all clients ask for
images at once. The whole stops after so many requests or so many seconds, whichever comes first.

Printed are times, and the largest memory of the server (Linux).
"""

import argparse
import base64
import concurrent.futures
import http.client
import io
import itertools
import json
import multiprocessing
import os
import pathlib
import struct
import tempfile
import time
import zlib

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
JSON = {"Content-Type": "application/json"}


def serve(folder, connection):
    """Exports two networks, serves them, and says where; a process."""
    import keras_gans
    from keras_gans import export

    networks = keras_gans.networks
    export.saved_model(networks.dcgan_generator((28, 28, 1)), f"{folder}/digits")
    export.saved_model(networks.unet_generator((32, 32, 3), width=4, dropout=0), f"{folder}/maps")
    with export.serving.Server(folder, port=None, rest_port=0) as server:
        connection.send(int(server.rest_address.rpartition(":")[2]))
        server.wait()


def ask(port, path, body, connection=None):
    """Status and seconds of a request."""
    kept = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    before = time.perf_counter()
    kept.request("POST", path, body, JSON)
    answer = kept.getresponse()
    answer.read()
    seconds = time.perf_counter() - before
    if connection is None:
        kept.close()
    return answer.status, seconds


def memory(process, field="VmRSS"):
    """MB of a process, or `None` where there is no /proc."""
    path = pathlib.Path(f"/proc/{process.pid}/status")
    if not path.exists():
        return None
    line = next(line for line in path.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) // 1024


def processor_seconds(process):
    """Of a process so far, or NaN where there is no /proc."""
    path = pathlib.Path(f"/proc/{process.pid}/stat")
    if not path.exists():
        return float("nan")
    # Behind the name, which is in brackets: in user mode and in the kernel, in ticks.
    fields = path.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def generating():
    inputs = {"seed": 7, "num_images": 1, "truncation": 0.0}
    return json.dumps({"signature_name": "generate_png", "inputs": inputs}).encode()


def translating(*files):
    rows = [{"b64": base64.b64encode(file).decode()} for file in files]
    return json.dumps({"signature_name": "translate", "instances": rows}).encode()


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def hostile():
    """Bodies of at most a few MB, each with a path."""
    from PIL import Image

    blank = Image.new("RGB", (2048, 2048), (90, 120, 30))
    jpeg = saved(blank, "JPEG", progressive=True)
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    gif = saved(Image.new("L", (32, 32)), "GIF")
    place = gif.index(b"\x2c\0\0\0\0")
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    comment = b"\x21\xfe" + b"\1x" * 400_000 + b"\0"
    mixed = b"\x21\xfe" + b"\1x\2xx" * 160_000 + b"\0"
    text = ["x" * 1_000_000, *"y" * 1000]
    maps, digits = "/v1/models/maps:predict", "/v1/models/digits:predict"
    return {
        "a long string among 1,000 short ones": (digits, json.dumps({"inputs": text}).encode()),
        "2 million empty lists": (digits, b'{"inputs": [' + b"[]," * 2_000_000 + b"[]]}"),
        "100,000 lists in one another": (digits, b"[" * 100_000),
        "PNG of 60,000 pixels a side": (maps, translating(png)),
        "64 blank images of 2**22 pixels": (maps, translating(*[saved(blank, "PNG")] * 64)),
        "4 blank images of 2**22 pixels": (maps, translating(*[saved(blank, "PNG")] * 4)),
        "GIF of 400,000 blocks of a byte": (maps, translating(gif[:place] + comment + gif[place:])),
        "GIF of 320,000 unlike blocks": (maps, translating(gif[:place] + mixed + gif[place:])),
        "JPEG of 10,000 scans": (maps, translating(jpeg[:-2] + scan * 10_000 + jpeg[-2:])),
        "JPEG of 100 scans": (maps, translating(jpeg[:-2] + scan * 90 + jpeg[-2:])),
    }


def one_after_the_other(port, number):
    path = "/v1/models/digits:predict"
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for name, connection in (("kept", kept), ("new", None)):
        times = [ask(port, path, generating(), connection)[1] for _ in range(number)][1:]
        print(f"one PNG, {name} connection: {1000 * np.median(times):.1f} ms", flush=True)
    kept.close()


def one_by_one(port, process):
    requests = hostile()
    ask(port, *requests["PNG of 60,000 pixels a side"])  # compiled by the first request
    print(f"\n{'request':36} {'MB':>5} {'status':>6} {'s':>6} {'CPU s':>6} {'server, MB':>10}")
    for name, (path, body) in requests.items():
        before = processor_seconds(process)
        status, passed = ask(port, path, body)
        used = processor_seconds(process) - before
        print(
            f"{name:36} {len(body) / 2**20:5.1f} {status:6} {passed:6.2f} {used:6.2f} "
            f"{memory(process, 'VmHWM')!s:>10}",
            flush=True,
        )


def all_at_once(port, clients, seconds, requests):
    """Every client asks until there were so many requests, or the time is over."""
    end, counter = time.monotonic() + seconds, itertools.count()
    path = "/v1/models/digits:predict"

    def client(_):
        found = []
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while time.monotonic() < end and next(counter) < requests:
            found.append(ask(port, path, generating(), kept))
        kept.close()
        return found

    before = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        found = list(itertools.chain.from_iterable(pool.map(client, range(clients))))
    passed = time.monotonic() - before
    times = 1000 * np.array([each[1] for each in found])
    failed = sum(each[0] != 200 for each in found)
    print(f"{clients} clients: {len(found)} requests in {passed:.1f} s, {failed} failed; median")
    print(f"{np.median(times):.1f} ms, 99 % within {np.percentile(times, 99):.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--requests", type=int, default=2000)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=serve, args=(folder, there), daemon=True)
        process.start()
        try:
            port = here.recv()
            one_after_the_other(port, 50)
            one_by_one(port, process)
            print()
            all_at_once(port, arguments.clients, arguments.seconds, arguments.requests)
        finally:
            process.terminate()
            process.join()


if __name__ == "__main__":
    main()
