// How pictures come into a page.

import {fail, finder} from "./generator.js";

/**
 * Sets up how a picture comes into the page: chosen, dropped, pasted, or an example. `open` is given
 * an `ImageBitmap` and its name without the suffix. Returns a function that opens the first example,
 * and says whether there is one.
 */
export function takePictures(root, about, open) {
  const $ = finder(root);

  async function read(source, called = "picture") {
    let picture;
    try {
      picture = await createImageBitmap(source);
    } catch {
      return fail($, `${called} is no picture that this browser can read.`);
    }
    await open(picture, called.replace(/\.[^.]*$/, ""));
  }

  async function readExample(image) {
    await image.decode().catch(() => {}); // `read` says what is wrong
    await read(image, image.alt);
  }

  function makeExample(address, number) {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    Object.assign(image, {src: address, alt: `Example ${number + 1}`});
    button.append(image);
    button.addEventListener("click", () => readExample(image));
    return button;
  }

  function readFirst(event, files) {
    if (!files?.length) return;
    event.preventDefault();
    if ($("generator").disabled) return;
    read(files[0], files[0].name);
  }

  $("examples").append(...about.examples.map(makeExample));
  $("file").addEventListener("change", (event) => readFirst(event, $("file").files));
  root.addEventListener("paste", (event) => readFirst(event, event.clipboardData.files));
  root.addEventListener("drop", (event) => {
    $("drop").classList.remove("over");
    readFirst(event, event.dataTransfer.files);
  });
  root.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser leaves the page to show the file
    $("drop").classList.add("over");
  });
  root.addEventListener("dragleave", () => $("drop").classList.remove("over"));

  return async () => {
    const first = $("examples").querySelector("img");
    if (first) await readExample(first);
    return Boolean(first);
  };
}

/** The level of a channel of a pixel: of colours, or of grey as `keras_gans.image` weighs them. */
export function level(data, pixel, channel, channels) {
  if (channels === 3) return data[4 * pixel + channel];
  const [red, green, blue] = data.subarray(4 * pixel, 4 * pixel + 3);
  return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
}
