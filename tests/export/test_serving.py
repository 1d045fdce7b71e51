import base64
import concurrent.futures
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
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


def ask(server, method, path, body=None, headers=(), timeout=20):
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


@pytest.mark.parametrize(
    "sent", [{"b64": "%%%"}, {"b64": 1}, {"x": 1}, 5, [], [["a"], ["b", "c"]], {"b64": "", "x": 1}]
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
        ("application/x-www-form-urlencoded", 200),  # `curl -d`
        ("image/png", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/html", 415),
    ],
)
def test_content_types(server, kind, status):
    headers = {"Content-Type": kind}
    assert ask(server, "POST", PREDICT, {"instances": [LATENT]}, headers)[0] == status


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
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\n".encode()
    assert b" 411 " in raw(server, head + b"\r\n")
    assert b" 411 " in raw(server, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert b" 411 " in raw(server, head + b"Content-Length: -1\r\n\r\n")
    assert b" 400 " in raw(server, head + b"Content-Length: 50\r\n\r\n{}")
    # Refused by what it says, before anything was sent.
    answer = raw(server, head + b"Content-Length: 999999999\r\n\r\n", end=False)
    assert b" 413 " in answer and b'"error"' in answer
    assert b'"error"' in raw(server, b"nonsense\r\n\r\n")
    assert ask(server, "GET", "/v1/models/digits")[0] == 200


def test_a_connection_is_kept_between_requests(server):
    port = int(server.rest_address.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(3):
        connection.request("POST", PREDICT, json.dumps({"instances": [LATENT]}))
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
    connection.close()


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

        # A broken one is told, and the one before goes on.
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
