// The controls of a generator that takes images.

import {addMenus, download, fail, finder, newest, say, showImage, size} from "./generator.js";

/** Sets up the controls in a page or a part of one; returns a function that draws at first. */
export function translate(root, about, generate) {
  const $ = finder(root), {menus, chosen} = addMenus($, about.choices);
  const stage = root.querySelector(".stage");
  let picture, name;

  /** The picture in the generator's size, as floats in [-1, 1]: keras_gans.image.from_uint8. */
  function values() {
    const [height, width, channels] = about.input_shape, canvas = $("before");
    size(canvas, about.input_shape);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.imageSmoothingQuality = "high";
    context.fillStyle = "white"; // behind what is transparent
    context.fillRect(0, 0, width, height);
    let [across, down] = [picture.width, picture.height];
    if ($("fit").value === "crop") {
      const scale = Math.min(across / width, down / height);
      [across, down] = [scale * width, scale * height];
    }
    const [left, top] = [(picture.width - across) / 2, (picture.height - down) / 2];
    context.drawImage(picture, left, top, across, down, 0, 0, width, height);
    const {data} = context.getImageData(0, 0, width, height);
    return Float32Array.from({length: width * height * channels}, (_, i) => {
      if (channels === 3) return data[4 * Math.floor(i / 3) + i % 3] / 127.5 - 1;
      const [red, green, blue] = data.subarray(4 * i, 4 * i + 3);
      return Math.round(0.299 * red + 0.587 * green + 0.114 * blue) / 127.5 - 1;
    });
  }

  const show = newest($, async () => {
    if (!picture) return;
    stage.classList.remove("empty");
    showImage($, await generate(values(), chosen()));
  });

  /** Translates a file or an `img`. */
  async function open(source, called = "picture") {
    try {
      picture = await createImageBitmap(source);
      name = called.replace(/\.[^.]*$/, "");
    } catch {
      return fail($, `${called} is no picture that this browser can read.`);
    }
    await show();
  }

  function makeExample(address, number) {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    Object.assign(image, {src: address, alt: `Example ${number + 1}`});
    button.append(image);
    button.addEventListener("click", () => openExample(image));
    return button;
  }

  async function openExample(image) {
    await image.decode().catch(() => {}); // `open` says what is wrong
    await open(image, image.alt);
  }

  function openFirst(event, files) {
    if (!files?.length) return;
    event.preventDefault();
    if ($("generator").disabled) return;
    open(files[0], files[0].name);
  }

  size($("before"), about.input_shape);
  size($("image"), about.image_shape);
  stage.classList.toggle("empty", !about.examples.length);
  $("examples").append(...about.examples.map(makeExample));
  $("file").addEventListener("change", (event) => openFirst(event, $("file").files));
  root.addEventListener("paste", (event) => openFirst(event, event.clipboardData.files));
  root.addEventListener("drop", (event) => {
    $("drop").classList.remove("over");
    openFirst(event, event.dataTransfer.files);
  });
  root.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser leaves the page to show the file
    $("drop").classList.add("over");
  });
  root.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  for (const control of [...menus, $("fit")]) control.addEventListener("change", show);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", () => download($, `${name}_${about.title}`));

  return async () => {
    const first = $("examples").querySelector("img");
    if (first) await openExample(first);
    else say($, "Ready: choose, drop or paste a picture, and it appears here beside its translation.");
  };
}
