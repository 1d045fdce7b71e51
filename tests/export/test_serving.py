import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import keras_gans
from keras_gans import export, image
from keras_gans.export.serving import (
    Client,
    GrpcClient,
    Server,
    ServingError,
    serve,
    write_configuration,
)
from keras_gans.export.serving.models import Models

networks = keras_gans.networks
LIMIT = 400_000


def moved(generator):
    rng = np.random.default_rng(0)
    generator.set_weights(
        [w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in generator.get_weights()]
    )
    return generator


GENERATORS = {
    "digits": moved(networks.conditional_dcgan_generator((16, 16, 1), 3, 6, width=4)),
    "maps": networks.unet_generator((32, 32, 3), width=4, out_channels=1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    export.saved_model(GENERATORS["digits"], folder / "digits", max_images=9)
    export.saved_model(GENERATORS["maps"], folder / "maps", version=3)
    write_configuration(folder)
    return folder


def grpc_port():
    """0, for a free one, where gRPC's packages are installed."""
    try:
        import tensorflow_serving  # noqa: F401
    except ModuleNotFoundError:
        return None
    return 0


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder, grpc_port(), rest_port=0, max_bytes=LIMIT) as server:
        yield server


@pytest.fixture(params=["REST", "gRPC"])
def client(request, server):
    """Makes a client of a model; the tests ask both kinds the same."""
    if request.param == "gRPC":
        pytest.importorskip("tensorflow_serving")
    made = []

    def make(model, **options):
        if request.param == "REST":
            return Client(model, server.rest_address, **options)
        made.append(GrpcClient(model, server.address, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def png(seed=0, size=(32, 32)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return pixels, file.getvalue()


def blank(height, width):
    """A large image in a small file."""
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


def opened(file):
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture)


def expected_digits(seed, labels, truncation=None):
    latents = keras_gans.latent.sample(len(labels), 6, seed, truncation)
    made = GENERATORS["digits"]([latents, np.array(labels, "int32")], training=False)
    return image.to_uint8(made)


def expected_map(pixels):
    made = GENERATORS["maps"](image.from_uint8(pixels)[None], training=False)
    return image.to_uint8(made)[0, ..., 0]


# ---- the client, by both ways


def test_images_of_a_seed(client):
    digits = client("digits")
    made = digits.generate(4, seed=-7)
    np.testing.assert_array_equal(made, expected_digits(-7, [0, 1, 2, 0]))
    made = digits.generate(2, seed=2**62, labels=[2], truncation=0.7)
    np.testing.assert_array_equal(made, expected_digits(2**62, [2, 2], 0.7))
    files = digits.generate_png(2, seed=5, labels=[1, 2])
    for file, row in zip(files, expected_digits(5, [1, 2]), strict=True):
        np.testing.assert_array_equal(opened(file), row[..., 0])


def test_floats(client):
    latents = keras_gans.latent.sample(3, 6, seed=1)
    inputs = {"latents": latents.tolist(), "labels": [0, 1, 2]}
    made = client("digits").predict(inputs)["images"]
    expected = GENERATORS["digits"]([latents, np.arange(3)], training=False)
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_translation(client):
    pixels, file = png()
    made = client("maps").translate([file, png(1, (20, 50))[1]])
    np.testing.assert_array_equal(opened(made[0]), expected_map(pixels))
    assert opened(made[1]).shape == (20, 50)
    first, again, other = client("maps").translate_stochastic([file] * 3, [1, 1, 2])
    assert first == again != other


def test_status_and_versions(client):
    assert client("digits").status() == {1: "AVAILABLE"}
    assert client("maps").status() == {3: "AVAILABLE"}
    assert client("maps", version=3).status() == {3: "AVAILABLE"}
    assert set(client("digits", version=1).inputs("generate")) == {
        *("seed", "num_images", "truncation", "labels"),
    }
    assert len(client("maps", version=3).translate([png()[1]])) == 1


def test_what_is_refused_inside_the_graph_is_said(client):
    digits, maps = client("digits"), client("maps")
    for call, message in (
        (lambda: digits.generate(10, seed=0), "at most 9 images at once"),
        (lambda: digits.generate(0, seed=0), "must be at least 1"),
        (lambda: digits.generate(1, seed=0, labels=[3]), "Expected 0 to 2"),
        (lambda: digits.generate(1, seed=0, truncation=-1.0), "`truncation` is 0"),
        (lambda: maps.translate([b"no picture"]), "Expected the bytes of a JPEG"),
        (lambda: maps.translate([png()[1][:200]]), "PNG"),
        (lambda: maps.translate([blank(2100, 2000)]), "too many pixels"),
    ):
        with pytest.raises(ServingError, match=message) as caught:
            call()
        assert caught.value.status in (400, "INVALID_ARGUMENT")
        assert "Graph execution" not in str(caught.value)
    assert len(digits.generate(1, seed=0)) == 1  # it goes on


def test_unknown_models_versions_and_signatures(client):
    for model, options in (("digit", {}), ("digits", {"version": 2}), ("a/b c", {})):
        for call in (
            lambda c: c.status(),
            lambda c: c.predict({"latents": [[0.0] * 6]}),
            lambda c: c.generate(1, seed=0),
        ):
            with pytest.raises(ServingError) as caught:
                call(client(model, **options))
            assert caught.value.status in (404, "NOT_FOUND")
    with pytest.raises(ServingError, match="translate.*generate_png_rows"):
        client("digits").translate([b""])
    with pytest.raises(ValueError, match="nothing of that name.*'lables'"):
        client("digits").generate(1, seed=0, lables=[1])


def test_requests_at_the_same_time(client):
    digits, maps = client("digits"), client("maps")
    pixels, file = png()
    expected = {seed: expected_digits(seed, [0, 1, 2]) for seed in range(12)}
    maps.translate([file])  # compiled once, and not by every thread

    def ask(seed):
        (made,) = maps.translate([file])
        np.testing.assert_array_equal(opened(made), expected_map(pixels))
        return digits.generate(3, seed=seed)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for seed, made in zip(expected, pool.map(ask, expected)):
            np.testing.assert_array_equal(made, expected[seed])


def test_nobody_answers():
    with pytest.raises(ServingError, match="No answer") as caught:
        Client("digits", f"http://127.0.0.1:{free_port()}").status()
    assert caught.value.status is None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_oversized_request(client, server):
    for size in (LIMIT, 40 * LIMIT):
        with pytest.raises(ServingError) as caught:
            client("maps").translate([bytes(size)])
        assert caught.value.status in (413, "RESOURCE_EXHAUSTED")
    assert len(client("maps").translate([png()[1]])) == 1


# ---- REST, over the socket


JSON = {"Content-Type": "application/json"}


def ask(server, method, path, body=None, headers=JSON, timeout=20):
    """Status and JSON of an answer."""
    port = int(server.rest_address.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    body = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


PREDICT = "/v1/models/digits:predict"


def test_rows_and_columns(server):
    rows = [{"latents": [0.5] * 6, "labels": k} for k in (0, 2)]
    status, by_row = ask(server, "POST", PREDICT, {"instances": rows})
    assert status == 200 and by_row.keys() == {"predictions"}
    inputs = {"latents": [[0.5] * 6] * 2, "labels": [0, 2]}
    status, by_column = ask(server, "POST", PREDICT, {"inputs": inputs})
    assert status == 200 and by_column.keys() == {"outputs"}
    assert by_row["predictions"] == by_column["outputs"]
    expected = GENERATORS["digits"]([np.full((2, 6), 0.5), np.array([0, 2])], training=False)
    np.testing.assert_allclose(by_row["predictions"], expected, atol=1e-6)


def test_bytes_are_base64_both_ways(server):
    pixels, file = png()
    sent = {"b64": base64.b64encode(file).decode()}
    path = "/v1/models/maps/versions/3:predict"
    answers = []
    for instances in ([sent], [{"image_bytes": sent}]):
        body = {"signature_name": "translate", "instances": instances}
        status, answer = ask(server, "POST", path, body)
        assert status == 200
        answers.append(answer["predictions"])
    assert answers[0] == answers[1]
    ((received,),) = [answers[0]]
    assert received.keys() == {"b64"}
    np.testing.assert_array_equal(opened(base64.b64decode(received["b64"])), expected_map(pixels))


def test_rows_of_seeds_by_the_client(server):
    rows = [{"seed": s, "truncation": 0.5, "labels": k} for s, k in ((3, 0), (4, 2))]
    client = Client("digits", server.rest_address)
    made = client.predict_rows(rows, "generate_rows")
    np.testing.assert_array_equal(made[1], expected_digits(4, [2], 0.5)[0])
    files = client.predict_rows(rows, "generate_png_rows")
    np.testing.assert_array_equal(opened(files[0]), expected_digits(3, [0], 0.5)[0, ..., 0])


def test_status_and_metadata(server):
    status, answer = ask(server, "GET", "/v1/models/digits")
    assert status == 200
    assert answer == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert ask(server, "GET", "/v1/models/digits/versions/1") == (200, answer)
    status, answer = ask(server, "GET", "/v1/models/digits/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "digits", "signature_name": "", "version": "1"}
    known = answer["metadata"]["signature_def"]["signature_def"]
    assert known["generate"]["inputs"]["seed"]["dtype"] == "DT_INT64"
    assert known["generate"]["method_name"] == "tensorflow/serving/predict"
    latents = known["serving_default"]["inputs"]["latents"]
    assert [d["size"] for d in latents["tensor_shape"]["dim"]] == ["-1", "6"]


SEED = {"seed": 1, "num_images": 1, "truncation": 0.0, "labels": []}


def generating(**changed):
    return {"signature_name": "generate", "inputs": {**SEED, **changed}}


LATENT = {"latents": [0.0] * 6, "labels": 0}
BAD = {
    "no JSON": (b"{", "JSON Parse error"),
    "no text": (b"\xff\xfe\x00", "JSON Parse error"),
    "empty": (b"", "JSON Parse error"),
    "deep": (b"[" * 100_000, "JSON Parse error"),
    "a list": ([1], "a JSON object"),
    "neither": ({}, "'instances' and 'inputs'"),
    "both": ({"instances": [], "inputs": {}}, "'instances' and 'inputs'"),
    "no rows": ({"instances": []}, "at least one row"),
    "rows of nothing": ({"instances": {}}, "at least one row"),
    "a row without labels": ({"instances": [{"latents": [0.0] * 6}]}, "element: 0"),
    "a row with more": ({"instances": [LATENT, {**LATENT, "x": 1}]}, "element: 1"),
    "plain rows of two inputs": ({"instances": [[0.0] * 6]}, "element: 0"),
    "plain columns of two inputs": ({"inputs": [[0.0] * 6]}, "an object"),
    "missing input": ({"inputs": {"latents": [[0.0] * 6]}}, "Missing named input: labels"),
    "ragged": ({"inputs": {"latents": [[0.0], [0.0, 1.0]], "labels": [0]}}, "no tensor"),
    "other shape": ({"inputs": {"latents": [[0.0] * 5], "labels": [0]}}, "does not fit"),
    "unlike rows": ({"inputs": {"latents": [[0.0] * 6], "labels": [0, 1]}}, "."),
    "text for numbers": (generating(num_images="1"), "not of expected type: int32"),
    "null": (generating(num_images=None), "not of expected type: int32"),
    "fraction": (generating(num_images=1.5), "not of expected type: int32"),
    "truth": (generating(num_images=True), "not of expected type: int32"),
    "large for int32": (generating(num_images=2**32 + 1), "not of expected type: int32"),
    "large for int64": (generating(seed=2**63), "not of expected type: int64"),
    "huge": (generating(seed=2**200), "not of expected type: int64"),
    "a list for a scalar": (generating(seed=[1]), "does not fit"),
    "not finite": (generating(truncation=float("inf")), "`truncation` is 0"),
    "no such signature": ({**generating(), "signature_name": "x"}, '"x" not found'),
    "signature of no text": ({**generating(), "signature_name": 1}, "must be a string"),
    "text for latents": (
        {"inputs": {"latents": [["x" * 10_000] * 6] * 2, "labels": [0, 1]}},
        "not of expected type: float32. Received: a value of type str",
    ),
    "one text among latents": (
        {"inputs": {"latents": [[0.0] * 5 + ["x"]], "labels": [0]}},
        "a value of type str",
    ),
    "objects for latents": (
        {"inputs": {"latents": [[{"b64": ""}] * 6], "labels": [0]}},
        "a value of type dict",
    ),
    "a number for a list": ({"inputs": {"latents": 1.0, "labels": [0]}}, "does not fit"),
    "lists too deep": ({"inputs": {"latents": [[[0.0]] * 6], "labels": [0]}}, "nested more than 2"),
    "large for float32": ({"inputs": {"latents": [[1e39] * 6], "labels": [0]}}, "too large"),
    "large for any float": ({"inputs": {"latents": [[10**400] * 6], "labels": [0]}}, "too large"),
    "no images": ({"inputs": {"latents": [], "labels": []}}, "at least one"),
    "a long name": ({"inputs": {"x" * 100_000: 0}}, "Missing named input"),
    "a signature of a long name": (
        {"signature_name": "x" * 100_000, "instances": [LATENT]},
        "not found|Serving signature name",
    ),
    "half a character": ({"signature_name": "\ud800", "instances": [LATENT]}, "not found"),
    "scalars by rows": (
        {"signature_name": "generate", "instances": [SEED]},
        "does not fit|row by row",
    ),
}


@pytest.mark.parametrize(("body", "message"), BAD.values(), ids=BAD)
def test_bad_requests(server, body, message):
    status, answer = ask(server, "POST", PREDICT, body)
    assert status == 400 and answer.keys() == {"error"}
    assert re.search(message, answer["error"]), answer
    assert len(answer["error"]) <= 1000


def test_more_values_than_are_read(folder):
    body = b'{"inputs": {"latents": [' + b"[]," * 2_200_000 + b"[]]}}"
    with Server(folder / "digits", port=None, rest_port=0) as server:
        status, answer = ask(server, "POST", PREDICT, body)
    assert status == 413 and "too many values" in answer["error"]


def test_all_requests_together_are_bounded(server):
    """Those that hold their room and send nothing are stated apart from what they keep out."""
    port = int(server.rest_address.rpartition(":")[2])
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head = f"{head}Content-Length: {LIMIT}\r\n\r\n".encode()
    idle = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(4)]
    for each in idle:
        each.sendall(head)
    until(lambda: server._rest._held == 4 * LIMIT)
    status, answer = ask(server, "POST", PREDICT, {"instances": [LATENT]})
    assert status == 503 and "busy" in answer["error"]
    for each in idle:
        each.close()
    until(lambda: not server._rest._held)
    assert ask(server, "POST", PREDICT, {"instances": [LATENT]})[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        *({"b64": "%%%"}, {"b64": "\u00e9"}, {"b64": 1}, {"x": 1}, 5, None, True, [], "\ud800"),
        *([["a"], ["b", "c"]], {"b64": "", "x": 1}),
    ],
)
def test_bad_bytes(server, sent):
    body = {"signature_name": "translate", "inputs": {"image_bytes": [sent]}}
    status, answer = ask(server, "POST", "/v1/models/maps:predict", body)
    assert status == 400 and answer.keys() == {"error"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/nobody", 404),
        ("GET", "/v1/models/nobody/metadata", 404),
        ("GET", "/v1/models/digits/versions/7", 404),
        ("GET", "/v1/models/digits/versions/x", 404),
        ("POST", "/v1/models/nobody:predict", 404),
        ("POST", "/v1/models/digits/versions/7:predict", 404),
        ("POST", "/v1/models/digits:classify", 404),
        ("POST", "/v1/models/..%2F..%2Fetc:predict", 404),
        ("GET", "/", 404),
        ("GET", "//[x", 404),
        ("GET", "/v1/models/digits/versions/" + "9" * 5000, 404),
        ("POST", "/v1/models/" + "x" * 5000 + ":predict", 404),
        ("PUT", PREDICT, 501),
        ("DELETE", "/v1/models/digits", 501),
    ],
)
def test_other_paths_and_methods(server, method, path, status):
    body = {"instances": [LATENT]} if method == "POST" else None
    found, answer = ask(server, method, path, body)
    assert found == status and answer.keys() == {"error"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        # What `curl -d` says of anything, and a web page may say without asking.
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        (None, 415),
        ("image/png", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/html", 415),
    ],
)
def test_content_types(server, kind, status):
    headers = {"Content-Type": kind} if kind else {}
    assert ask(server, "POST", PREDICT, {"instances": [LATENT]}, headers)[0] == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8501", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:8501", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8501", 403),
        ("localhost:8501:evil", 403),
        ("localhost@evil", 403),
        ("", 403),
    ],
)
def test_hosts(server, host, status):
    """A page of evil.example whose name points to this machine is refused."""
    for method, path, body in (
        ("GET", "/v1/models/digits", None),
        ("POST", PREDICT, {"instances": [LATENT]}),
    ):
        assert ask(server, method, path, body, {**JSON, "Host": host})[0] == status


def test_hosts_that_are_allowed(folder):
    hosts = ["Proxy.example"]
    with Server(folder / "digits", port=None, rest_port=0, allow_hosts=hosts) as server:
        for host, status in (("proxy.example:80", 200), ("localhost", 200), ("other", 403)):
            found, answer = ask(server, "GET", "/v1/models/digits", headers={"Host": host})
            assert found == status
        assert "--allow-host" in answer["error"]


def test_compressed_bodies_are_refused(server):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert ask(server, "POST", PREDICT, b"\x1f\x8b", headers)[0] == 415


def raw(server, request, end=True):
    """All that is answered to bytes on a socket, until the server closes."""
    port = int(server.rest_address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(2**16), b""))


def test_lengths(server):
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head = head.encode()
    assert b" 411 " in raw(server, head + b"\r\n")
    assert b" 411 " in raw(server, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert b" 411 " in raw(server, head + b"Content-Length: -1\r\n\r\n")
    assert b" 411 " in raw(server, head + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
    twice = b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
    assert b" 411 " in raw(server, head + twice)
    both = b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"
    assert b" 411 " in raw(server, head + both)
    assert b" 400 " in raw(server, head + b"Content-Length: 50\r\n\r\n{}")
    # Refused by what it says, before anything was sent.
    answer = raw(server, head + b"Content-Length: 999999999\r\n\r\n", end=False)
    assert b" 413 " in answer and b'"error"' in answer
    assert b'"error"' in raw(server, b"nonsense\r\n\r\n")
    odd = b"GET http://[x/v1/models/digits HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert b" 404 " in raw(server, odd)
    assert ask(server, "GET", "/v1/models/digits")[0] == 200


def test_a_body_that_nobody_expects_is_no_next_request(server):
    inner = b"GET /v1/models/digits/versions/7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"GET /v1/models/digits HTTP/1.1\r\nHost: localhost\r\n"
    length = b"Content-Length: " + str(len(inner)).encode() + b"\r\n\r\n"
    assert raw(server, head + length + inner).count(b"HTTP/1.1 ") == 1


def test_a_kept_connection_does_not_wait(server):
    """Written in two pieces, each answer would wait 40 ms for the first to be confirmed."""
    port = int(server.rest_address.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    times = []
    for _ in range(12):
        before = time.monotonic()
        connection.request("GET", "/v1/models/digits")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        times.append(time.monotonic() - before)
    connection.close()
    assert sorted(times)[3] < 0.02


def test_it_listens_on_loopback_alone(server):
    assert server.rest_address.startswith("http://127.0.0.1:")
    assert server._rest.server_address[0] == "127.0.0.1"
    assert server.address is None or server.address.startswith("127.0.0.1:")


# ---- gRPC, where it differs


def test_grpc_by_the_messages_of_tf_serving(server):
    grpc = pytest.importorskip("grpc")
    tf = pytest.importorskip("tensorflow")
    predict = pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    stubs = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")
    with grpc.insecure_channel(server.address) as channel:
        stub = stubs.PredictionServiceStub(channel)
        request = predict.PredictRequest()
        request.model_spec.name = "digits"
        request.inputs["latents"].CopyFrom(tf.make_tensor_proto(np.zeros((2, 6), "float32")))
        request.inputs["labels"].CopyFrom(tf.make_tensor_proto([0, 1]))
        answer = stub.Predict(request, timeout=20)
        assert answer.model_spec.version.value == 1
        assert answer.model_spec.signature_name == "serving_default"
        assert tf.make_ndarray(answer.outputs["images"]).shape == (2, 16, 16, 1)

        def refused(change):
            wrong = predict.PredictRequest()
            wrong.CopyFrom(request)
            change(wrong)
            with pytest.raises(grpc.RpcError) as caught:
                stub.Predict(wrong, timeout=20)
            return caught.value.code().name

        wide = tf.make_tensor_proto(np.zeros((2, 6)))  # float64
        assert refused(lambda r: r.inputs["latents"].CopyFrom(wide)) == "INVALID_ARGUMENT"
        assert refused(lambda r: r.inputs["x"].CopyFrom(wide)) == "INVALID_ARGUMENT"
        assert refused(lambda r: r.inputs.pop("labels")) == "INVALID_ARGUMENT"
        assert refused(lambda r: r.output_filter.append("x")) == "INVALID_ARGUMENT"
        broken = tf.make_tensor_proto(np.zeros((2, 6), "float32"))
        broken.tensor_content = b"123"
        assert refused(lambda r: r.inputs["latents"].CopyFrom(broken)) == "INVALID_ARGUMENT"
        spec = {"signature_name": "x"}
        assert refused(lambda r: r.model_spec.MergeFrom(type(r.model_spec)(**spec))) == (
            "INVALID_ARGUMENT"
        )


BAD_TENSORS = {
    "padded to gigabytes": (
        {"dims": [10**9, 6], "float_val": [1.0]},
        "RESOURCE_EXHAUSTED",
        "too large",
    ),
    "padded beyond any number": (
        {"dims": [2**62, 6], "float_val": [1.0]},
        "RESOURCE_EXHAUSTED",
        "too large",
    ),
    "of too many values": (
        {"dims": [2, 6], "float_val": [1.0] * 13},
        "INVALID_ARGUMENT",
        "other than the 12",
    ),
    "of few bytes": ({"tensor_content": b"123"}, "INVALID_ARGUMENT", "other than the 12"),
    "of more bytes": ({"tensor_content": bytes(49)}, "INVALID_ARGUMENT", "other than the 12"),
    "of strings": ({"dtype": 7}, "INVALID_ARGUMENT", "does not fit"),
    "of resources": ({"dtype": 20}, "INVALID_ARGUMENT", "does not fit"),
    "of an unknown type": ({"dtype": 999}, "INVALID_ARGUMENT", "does not fit"),
    "of another rank": ({"dims": [12]}, "INVALID_ARGUMENT", "does not fit"),
    "of many axes": ({"dims": [1] * 300}, "INVALID_ARGUMENT", "does not fit"),
    "of another size": ({"dims": [4, 3]}, "INVALID_ARGUMENT", "does not fit"),
    "of a negative size": ({"dims": [-1, 6]}, "INVALID_ARGUMENT", "does not fit"),
    "of unknown rank": ({"dims": [], "unknown_rank": True}, "INVALID_ARGUMENT", "does not fit"),
    "of no rows": ({"dims": [0, 6], "tensor_content": b""}, "INVALID_ARGUMENT", "at least one"),
}


@pytest.fixture(scope="module")
def stub(server):
    grpc = pytest.importorskip("grpc")
    stubs = pytest.importorskip("tensorflow_serving.apis.prediction_service_pb2_grpc")
    with grpc.insecure_channel(server.address) as channel:
        yield stubs.PredictionServiceStub(channel)


def good_request():
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "digits"
    request.inputs["latents"].CopyFrom(tf.make_tensor_proto(np.zeros((2, 6), "float32")))
    request.inputs["labels"].CopyFrom(tf.make_tensor_proto([0, 1]))
    return request


def refused(stub, request, code, message):
    import grpc

    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request, timeout=20)
    assert caught.value.code().name == code
    assert re.search(message, caught.value.details())


@pytest.mark.parametrize(("fields", "code", "message"), BAD_TENSORS.values(), ids=BAD_TENSORS)
def test_bad_tensors(stub, fields, code, message):
    request = good_request()
    tensor = request.inputs["latents"]
    for field, value in fields.items():
        if field == "dims":
            del tensor.tensor_shape.dim[:]
            for size in value:
                tensor.tensor_shape.dim.add(size=size)
        elif field == "unknown_rank":
            tensor.tensor_shape.unknown_rank = value
        elif field == "float_val":
            tensor.ClearField("tensor_content")
            tensor.float_val.extend(value)
        else:
            setattr(tensor, field, value)
    refused(stub, request, code, message)


def test_one_value_may_stand_for_many(stub):
    """As `tf.make_tensor_proto(0.0, shape=(2, 6))` sends it."""
    import tensorflow as tf

    request = good_request()
    request.inputs["latents"].CopyFrom(tf.make_tensor_proto(0.0, "float32", (2, 6)))
    assert request.inputs["latents"].ByteSize() < 24
    made = stub.Predict(request, timeout=20).outputs["images"]
    expected = stub.Predict(good_request(), timeout=20).outputs["images"]
    np.testing.assert_array_equal(tf.make_ndarray(made), tf.make_ndarray(expected))


def test_other_bad_messages(stub):
    request = good_request()
    request.model_spec.version_label = "canary"
    refused(stub, request, "INVALID_ARGUMENT", "labels are not known")
    request = good_request()
    request.model_spec.signature_name = "x" * 100_000
    refused(stub, request, "INVALID_ARGUMENT", "Serving signature name")
    request = good_request()
    request.model_spec.name = "x" * 100_000
    refused(stub, request, "NOT_FOUND", "Servable not found")


# ---- what the client is given, and what it is answered


@pytest.mark.parametrize("images", [[], [b"x", "y"], ["name.png"], "name.png", [Path("x")], [1]])
def test_files_that_the_client_refuses(client, images):
    with pytest.raises(ValueError, match="image files as `bytes`.*Received"):
        client("maps").translate(images)


def test_inputs_that_cannot_be_sent(client):
    digits = client("digits")
    for wrong in ({1, 2}, object()):
        with pytest.raises(ValueError, match="cannot be sent.*Received"):
            digits.predict({"latents": wrong, "labels": [0]})
    made = digits.generate(np.int32(2), seed=np.int64(5), labels=np.array([1, 2]))
    np.testing.assert_array_equal(made, expected_digits(5, [1, 2]))


@pytest.mark.parametrize("address", ["127.0.0.1:8501", "file:///etc/hostname", ""])
def test_addresses_that_are_none(address):
    with pytest.raises(ValueError, match="address of a server.*Received"):
        Client("digits", address)


ANSWERS = {
    "a page": b"<html>It works!</html>",
    "nothing": b"",
    "a list": b"[]",
    "other names": b'{"x": 1}',
    "null": b"null",
    "rows of nothing": b'{"model_version_status": 3, "outputs": {"b64": 1}, "metadata": 1}',
    "no integers": b'{"model_version_status": [{"version": "x", "state": 1}], "metadata": {}}',
    "deep": b'{"outputs": ' + b"[" * 100_000,
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", ANSWERS.values(), ids=ANSWERS)
def test_answers_of_another_program(content):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
        client = Client("digits", f"http://127.0.0.1:{other.server_port}")
        for call in (
            client.status,
            client.inputs,
            lambda: client.predict({"latents": []}),
            lambda: client.predict_rows([{}]),
            lambda: client.generate(seed=0),
        ):
            with pytest.raises(ServingError, match="not TF Serving's"):
                call()
        other.shutdown()


def test_an_answer_that_breaks_off():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            connection.recv(2**16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        client = Client("digits", f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(ServingError, match="No answer"):
            client.status()


def test_grpc_without_its_packages(folder, monkeypatch):
    for name in ("tensorflow_serving", "tensorflow_serving.apis"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"keras-gans\[serving\]"):
        Server(folder, port=0, rest_port=0)


# ---- versions


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_a_new_version_is_loaded_and_the_old_one_answers_until_then(tmp_path, capsys):
    first = moved(networks.dcgan_generator((16, 16, 1), latent_dim=4, width=4))
    second = networks.dcgan_generator((16, 16, 3), latent_dim=4, width=4)
    export.saved_model(first, tmp_path / "m" / "net")
    shapes, stop, errors = set(), threading.Event(), []
    with Server(tmp_path / "m", port=None, rest_port=0, poll_seconds=0.05) as server:

        def keep_asking():
            client = Client("net", server.rest_address)
            while not stop.is_set():
                try:
                    shapes.add(np.shape(client.generate(1, seed=0)))
                except ServingError as error:
                    errors.append(error)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        until(lambda: shapes)
        export.saved_model(second, tmp_path / "m" / "net", version=2)
        client = Client("net", server.rest_address)
        until(lambda: client.status() == {2: "AVAILABLE"} and len(shapes) == 2)
        stop.set()
        asking.join()
        assert shapes == {(1, 16, 16, 1), (1, 16, 16, 3)} and not errors
        with pytest.raises(ServingError, match=r"Specific\(net, 1\)"):
            Client("net", server.rest_address, version=1).generate(seed=0)

        # A broken one is stated, and the one before goes on.
        shutil.copytree(tmp_path / "m" / "net" / "2", tmp_path / "half")
        os.truncate(tmp_path / "half" / "saved_model.pb", 1000)
        (tmp_path / "half").rename(tmp_path / "m" / "net" / "3")
        until(lambda: client.status() == {3: "END", 2: "AVAILABLE"})
        assert np.shape(client.generate(1, seed=0)) == (1, 16, 16, 3)

        # Another model, and one that goes.
        export.saved_model(first, tmp_path / "m" / "other")
        until(lambda: server.models.names() == ["net", "other"])
        shutil.rmtree(tmp_path / "m" / "other")
        until(lambda: server.models.names() == ["net"])
    said = capsys.readouterr().out
    assert "net: version 2 is served" in said and "net: version 3 fails" in said


def export_version(folder, version, channels=1):
    generator = networks.dcgan_generator((16, 16, channels), latent_dim=4, width=4)
    return export.saved_model(generator, folder, version=version, floats_only=True)


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """A folder with a version of one channel, and a version of three, to be copied."""
    folder = tmp_path_factory.mktemp("versions")
    return export_version(folder / "net", 1), export_version(folder / "net", 2, 3)


def test_a_version_that_arrives_in_pieces_is_tried_again(two_versions, tmp_path):
    first, second = two_versions
    shutil.copytree(first, tmp_path / "net" / "1")
    models = Models(tmp_path)
    assert models.refresh() == [("net", 1, None)]
    new = tmp_path / "net" / "2"
    new.mkdir()
    shutil.copy(second / "saved_model.pb", new)
    ((name, version, error),) = models.refresh()
    assert (name, version) == ("net", 2) and error
    assert models.refresh() == []  # nothing has changed
    assert [row[:2] for row in models.status("net")] == [(2, "END"), (1, "AVAILABLE")]
    (new / "variables").mkdir()
    shutil.copy(second / "variables" / "variables.index", new / "variables")
    assert [row[:2] for row in models.refresh()] == [("net", 2)]  # tried, and not yet complete
    shutil.copytree(second, new, dirs_exist_ok=True)
    assert models.refresh() == [("net", 2, None)]
    assert [row[:2] for row in models.status("net")] == [(2, "AVAILABLE")]


def test_a_broken_version_does_not_keep_an_older_one_away(two_versions, tmp_path):
    first, second = two_versions
    for version, source in ((1, first), (2, second), (3, second), (4, first)):
        shutil.copytree(source, tmp_path / "net" / str(version))
    for version in (3, 4):
        os.truncate(tmp_path / "net" / str(version) / "saved_model.pb", 500)
    with Server(tmp_path, port=None, rest_port=0, poll_seconds=60) as server:
        client = Client("net", server.rest_address)
        assert client.status() == {4: "END", 3: "END", 2: "AVAILABLE"}
        assert np.shape(client.predict({"latents": [[0.0] * 4]})["images"]) == (1, 16, 16, 3)
        models = server.models
        # A loaded version that is broken on the disk afterwards goes on, and no older one.
        os.truncate(tmp_path / "net" / "2" / "saved_model.pb", 500)
        assert [row[:2] for row in models.refresh()] == [("net", 2)]
        assert (2, "AVAILABLE") in [row[:2] for row in models.status("net")]
        # One that is taken away makes room for the one before.
        for version in (2, 3, 4):
            shutil.rmtree(tmp_path / "net" / str(version))
        assert models.refresh() == [("net", 1, None)]
        assert models.status("net") == [(1, "AVAILABLE", "OK", "")]


@contextlib.contextmanager
def unreadable(*paths):
    """Folders that this process cannot look into, even if it is run by root."""
    before = os.geteuid()
    for path in paths:
        path.chmod(0)
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)
        for path in paths:
            path.chmod(0o755)


def test_a_folder_that_cannot_be_read_ends_nothing(two_versions):
    first, second = two_versions
    folder = Path(tempfile.mkdtemp(prefix="keras-gans-"))
    try:
        folder.chmod(0o755)
        for name, version, source in (("a", 1, first), ("b", 1, first), ("c", 1, first)):
            shutil.copytree(source, folder / name / str(version))
        models = Models(folder)
        assert len(models.refresh()) == 3
        shutil.copytree(second, folder / "b" / "2")
        shutil.copytree(second, folder / "c" / "2")
        with unreadable(folder / "a", folder / "b" / "2"):
            news = models.refresh()
            assert [row[:2] for row in news] == [("b", 2), ("c", 2)]
            assert isinstance(news[0][2], PermissionError) and news[1][2] is None
            assert models.names() == ["a", "b", "c"] and models.get("b").version == 1
        assert models.refresh() == [("b", 2, None)]
    finally:
        shutil.rmtree(folder)


def test_nobody_reads_what_the_watcher_says(two_versions, tmp_path, monkeypatch):
    first, second = two_versions
    shutil.copytree(first, tmp_path / "net" / "1")
    reading, writing = os.pipe()
    os.close(reading)
    with (
        open(writing, "w", buffering=1) as closed,  # noqa: PTH123
        Server(tmp_path, port=None, rest_port=0, poll_seconds=0.02) as server,
    ):
        monkeypatch.setattr(sys, "stdout", closed)
        for version in (2, 3):
            shutil.copytree(second, tmp_path / "half")
            (tmp_path / "half").rename(tmp_path / "net" / str(version))
            until(lambda v=version: server.models.get("net").version == v)
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            closed.close()


def test_the_folder_of_one_model(folder):
    with Server(folder / "digits", port=None, rest_port=0) as server:
        assert server.models.names() == ["digits"]


def test_nothing_to_serve(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValueError, match="nothing to serve"):
            Server(path, port=None, rest_port=0)
    (tmp_path / "m" / "1").mkdir(parents=True)
    (tmp_path / "m" / "1" / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(ValueError, match="None of the models can be loaded"):
        Server(tmp_path, port=None, rest_port=0)


def test_a_port_that_is_taken(folder, server):
    taken = int(server.rest_address.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Server(folder / "digits", port=None, rest_port=taken)
    if server.address:
        with pytest.raises(OSError, match="cannot be listened on"):
            Server(folder / "digits", port=int(server.address.rpartition(":")[2]), rest_port=0)


def test_serve_says_where_and_that_it_is_for_trying(folder, capsys, monkeypatch):
    def interrupted(server):
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "wait", interrupted)
    monkeypatch.setattr(export.serving.rpc, "installed", lambda: False)
    with pytest.raises(KeyboardInterrupt):
        serve(folder, rest_port=0)
    said = capsys.readouterr().out
    assert "digits: version 1 is served" in said and "maps: version 3 is served" in said
    assert "http://127.0.0.1:" in said and "in production use TF Serving" in said
    assert "keras-gans[serving]" in said


# ---- what stands beside


def test_the_client_needs_the_standard_library_alone(server, tmp_path):
    shutil.copy(export.serving.client.__file__, tmp_path / "client.py")
    program = (
        "import client, sys\n"
        f"made = client.Client('digits', {server.rest_address!r}).generate_png(2, seed=5)\n"
        "assert not {'numpy', 'tensorflow', 'grpc'} & set(sys.modules)\n"
        "sys.stdout.buffer.write(made[1])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=tmp_path, capture_output=True, check=True
    )
    np.testing.assert_array_equal(opened(done.stdout), expected_digits(5, [0, 1])[1, ..., 0])


def test_configuration_names_every_model(folder, tmp_path):
    text = (folder / "models.config").read_text()
    for name in ("digits", "maps"):
        assert f'name: "{name}"' in text and f'base_path: "/models/{name}"' in text
    assert text.count("config {") == 2
    # The strictest model takes 9 images.
    assert "max_batch_size { value: 9 }" in (folder / "batching.config").read_text()
    compose = (folder / "compose.yaml").read_text()
    assert "--model_config_file=/models/models.config" in compose and ".:/models:ro" in compose
    write_configuration(folder)  # again, over what it wrote
    (tmp_path / "models.config").write_text("mine")
    with pytest.raises(ValueError, match="There is no model"):
        write_configuration(tmp_path)
    shutil.copytree(folder / "digits", tmp_path / "digits")
    with pytest.raises(FileExistsError, match="somebody else"):
        write_configuration(tmp_path)
    assert not (tmp_path / "compose.yaml").exists()
    assert Path(tmp_path / "models.config").read_text() == "mine"
    write_configuration(tmp_path, overwrite=True)
    assert 'name: "digits"' in (tmp_path / "models.config").read_text()


def test_the_configuration_is_what_tf_serving_parses(folder):
    text_format = pytest.importorskip("google.protobuf.text_format")
    config = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    parsed = text_format.Parse((folder / "models.config").read_text(), config.ModelServerConfig())
    assert [m.name for m in parsed.model_config_list.config] == ["digits", "maps"]
    assert {m.model_platform for m in parsed.model_config_list.config} == {"tensorflow"}
