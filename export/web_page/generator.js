// The generator in LiteRT.js, and the parts of a page that both kinds of generator need.

export const $ = (id) => document.getElementById(id);

/** Reads model.json, starts the runtime and compiles the generator. */
export async function load() {
  const about = await (await fetch("model.json")).json();
  const runtime = new URL(about.runtime, document.baseURI).href;
  const litert = await import(`${runtime}index.js`);
  await litert.loadLiteRt(runtime);
  // "webgpu" may claim support and then fail; "wasm" runs everywhere.
  const model = await litert.loadAndCompile(about.model, {accelerator: "wasm"});
  let last = Promise.resolve();

  /** The image of a latent or image, of a class if there are any, and the time it took. */
  async function run(values, label) {
    const inputs = {[about.input]: new litert.Tensor(values, [1, ...about.input_shape])};
    if (about.class_names.length) {
      inputs.labels = new litert.Tensor(Int32Array.of(label), [1]);
    }
    const started = performance.now();
    const outputs = await model.run("serving_default", inputs);
    const milliseconds = performance.now() - started;
    const image = toImage(outputs.images.toTypedArray(), about.image_shape);
    // The runtime's memory is not the browser's to collect.
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return {image, milliseconds};
  }

  // One after the other: the runtime is not made to be entered twice.
  const generate = (values, label) => (last = last.catch(() => {}).then(() => run(values, label)));
  return {about, generate};
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

export function draw(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.classList.toggle("pixels", image.width < 200);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Calls `work` for the newest wish: while it runs, further wishes count as one. */
export function newest(work) {
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
      fail(error);
    } finally {
      busy = false;
    }
  };
}

export function fillClasses(names) {
  $("classes").hidden = !names.length;
  names.forEach((name, number) => $("label").add(new Option(name, number)));
}

export function told(milliseconds, image) {
  return `${image.width}×${image.height}, ${milliseconds.toFixed(1)} ms`;
}

export function download(name) {
  $("image").toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

export function fail(error) {
  console.error(error);
  $("status").textContent = `This did not work: ${error.message ?? error}`;
  $("status").classList.add("failed");
}
