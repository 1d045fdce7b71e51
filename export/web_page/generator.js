// A generator in LiteRT.js, and the parts of a page that both kinds of generator need. `$` finds an
// element by its id, in a page or in a part of one: see `finder`.

export const finder = (root) => (id) => root.getElementById(id);

let last = Promise.resolve();

/**
 * Compiles a generator, and returns what runs it: a function of a latent or image, the number of the
 * class that is chosen in each menu, and what each slider of a number says, to the image and the
 * time that it took.
 */
export async function compile(litert, about, model) {
  // "webgpu" may claim support and then fail; "wasm" runs everywhere.
  const compiled = await litert.loadAndCompile(model, {accelerator: "wasm"});

  async function run(values, chosen, numbers) {
    const inputs = {[about.input_name]: new litert.Tensor(values, [1, ...about.input_shape])};
    about.choices.forEach(({name, place}, i) => {
      // A code is inside of the latents.
      if (place === undefined) inputs[name] = new litert.Tensor(Int32Array.of(chosen[i]), [1]);
    });
    about.numbers.forEach(({name}, i) => {
      inputs[name] = new litert.Tensor(Float32Array.of(numbers[i]), [1]);
    });
    const started = performance.now();
    const outputs = await compiled.run("serving_default", inputs);
    const milliseconds = performance.now() - started;
    const image = beside(about.outputs.map(
      ({name, shape}) => toImage(outputs[name].toTypedArray(), shape)));
    // The runtime's memory is not the browser's to collect.
    for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.delete();
    return {image, milliseconds};
  }

  // One after the other, of all generators: the runtime is not made to be entered twice.
  return (values, chosen, numbers = about.numbers.map(({value}) => value)) =>
    (last = last.catch(() => {}).then(() => run(values, chosen, numbers)));
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

/** Several images as one, from left to right. */
function beside(images) {
  if (images.length === 1) return images[0];
  const sum = images.reduce((width, image) => width + image.width, 0);
  const all = new ImageData(sum, Math.max(...images.map((image) => image.height)));
  let left = 0;
  for (const {data, width, height} of images) {
    for (let y = 0; y < height; y++) {
      all.data.set(data.subarray(4 * y * width, 4 * (y + 1) * width), 4 * (y * sum + left));
    }
    left += width;
  }
  return all;
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

/** Makes a row with a slider. */
export function makeSlider(id, name, low, high, value, step = 0.1) {
  const row = document.createElement("div"), label = document.createElement("label");
  const slider = document.createElement("input");
  row.className = "row";
  label.textContent = name;
  Object.assign(slider, {type: "range", min: low, max: high, step, value});
  label.htmlFor = slider.id = id;
  row.append(label, slider, document.createElement("output"));
  return row;
}

/** Adds a slider above an element for each number, and returns a function to what each says. */
export function addNumbers(above, numbers) {
  const rows = numbers.map(({name, low, high, value}, i) =>
    makeSlider(`number_${i}`, words(name), low, high, value, (high - low) / 20));
  above.before(...rows);
  return () => rows.map((row) => Number(row.querySelector("input").value));
}

/** The name of a condition as people write it: "long_hair" is "Long hair". */
function words(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

/** Adds a menu for each choice of a class, and returns a function to what is chosen in each. */
export function addMenus($, choices) {
  const first = $("classes"), blank = first.cloneNode(true);
  first.hidden = !choices.length;
  let above = first;
  const menus = choices.map(({name, classes}, number) => {
    const row = number ? blank.cloneNode(true) : first;
    const menu = row.querySelector("select"), label = row.querySelector("label");
    if (number) {
      row.hidden = false;
      row.id = `classes_${number}`;
      label.htmlFor = menu.id = `label_${number}`;
      above.after(row);
    }
    if (choices.length > 1 || !/^(labels|categorical)$/.test(name)) label.textContent = words(name);
    classes.forEach((text, i) => menu.add(new Option(text, i)));
    above = row;
    return menu;
  });
  return {menus, chosen: () => menus.map((menu) => Number(menu.value))};
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
