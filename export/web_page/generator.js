// A generator in LiteRT.js, and the parts of a page that both kinds of generator need. `$` finds an
// element by its id, in a page or in a part of one: see `finder`.

export const finder = (root) => (id) => root.getElementById(id);

let last = Promise.resolve();

/**
 * Compiles a generator, and returns what runs it: a function of a latent or image, and a class if
 * there are any, to the image and the time that it took.
 */
export async function compile(litert, about, model) {
  // "webgpu" may claim support and then fail; "wasm" runs everywhere.
  const compiled = await litert.loadAndCompile(model, {accelerator: "wasm"});

  async function run(values, label) {
    const inputs = {[about.input]: new litert.Tensor(values, [1, ...about.input_shape])};
    if (about.labels) inputs.labels = new litert.Tensor(Int32Array.of(label), [1]);
    const started = performance.now();
    const outputs = await compiled.run("serving_default", inputs);
    const milliseconds = performance.now() - started;
    const image = toImage(outputs.images.toTypedArray(), about.image_shape);
    // The runtime's memory is not the browser's to collect.
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return {image, milliseconds};
  }

  // One after the other, of all generators: the runtime is not made to be entered twice.
  return (values, label) => (last = last.catch(() => {}).then(() => run(values, label)));
}

/** Says why a browser cannot run a generator, if it cannot. */
export function requireWebAssembly() {
  if (typeof WebAssembly !== "object") {
    throw new Error("this browser has no WebAssembly, or it is turned off, and the generator runs " +
      "in it. Turn it on, or take another browser.");
  }
}

/** Floats in [-1, 1], row by row, as pixels: keras_gans.image.to_uint8. */
function toImage(values, [height, width, channels]) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      // Stored clamped, and rounded to the nearest.
      image.data[4 * i + c] = (values[channels * i + (channels === 3 ? c : 0)] + 1) * 127.5;
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Makes a canvas as large as an image will be. */
export function size(canvas, [height, width]) {
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle("pixels", width < 200);
}

export function draw(canvas, image) {
  size(canvas, [image.height, image.width]);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Calls `work` for the newest wish: while it runs, further wishes count as one. */
export function newest($, work) {
  let wanted = false, busy = false;
  return async () => {
    wanted = true;
    if (busy) return;
    busy = true;
    try {
      while (wanted) {
        wanted = false;
        await work();
      }
    } catch (error) {
      fail($, error);
    } finally {
      busy = false;
    }
  };
}

export function fillClasses($, names) {
  $("classes").hidden = !names.length;
  names.forEach((name, number) => $("label").add(new Option(name, number)));
}

/** Shows what was made, and how long it took. */
export function showImage($, {image, milliseconds}) {
  draw($("image"), image);
  say($, `${image.width}×${image.height}, ${milliseconds.toFixed(1)} ms`);
  $("download").disabled = false;
}

export function say($, text) {
  $("status").textContent = text;
  $("status").classList.remove("failed");
}

export function download($, name) {
  $("image").toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

/** Says what went wrong: an error, or in words what was given. */
export function fail($, error) {
  if (error instanceof Error) console.error(error);
  say($, `This did not work: ${error.message ?? error}`);
  $("status").classList.add("failed");
  $("download").disabled = true; // of what was there before
}
