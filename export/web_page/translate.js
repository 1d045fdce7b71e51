// The page of a generator that takes images.

import {$, download, draw, fail, fillClasses, load, newest, told} from "./generator.js";

let about, generate, picture, name = "translated";

/** The picture in the generator's size, as floats in [-1, 1]: keras_gans.image.from_uint8. */
function values() {
  const [height, width, channels] = about.input_shape, canvas = $("before");
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle("pixels", width < 200);
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

const show = newest(async () => {
  if (!picture) return;
  const {image, milliseconds} = await generate(values(), Number($("label").value));
  draw($("image"), image);
  $("status").textContent = told(milliseconds, image);
  $("download").disabled = false;
});

async function open(blob, called = "picture") {
  try {
    picture = await createImageBitmap(blob);
    name = called.replace(/\.[^.]*$/, "");
    $("status").classList.remove("failed");
  } catch {
    return fail(`${called} is no picture that this browser can read.`);
  }
  await show();
}

const openExample = async (path) => open(await (await fetch(path)).blob(), path);

function makeExample(path) {
  const button = document.createElement("button"), image = document.createElement("img");
  button.type = "button";
  Object.assign(image, {src: path, alt: path.replace(/\.[^.]*$/, "").replace("_", " ")});
  button.append(image);
  button.addEventListener("click", () => openExample(path));
  return button;
}

function openFirst(event, files) {
  if (!files?.length) return;
  event.preventDefault();
  open(files[0], files[0].name);
}

try {
  ({about, generate} = await load());
  fillClasses(about.class_names);
  $("examples").append(...about.examples.map(makeExample));
  $("file").addEventListener("change", (event) => openFirst(event, $("file").files));
  document.addEventListener("paste", (event) => openFirst(event, event.clipboardData.files));
  document.addEventListener("drop", (event) => {
    $("drop").classList.remove("over");
    openFirst(event, event.dataTransfer.files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser leaves the page to show the file
    $("drop").classList.add("over");
  });
  document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  for (const id of ["fit", "label"]) $(id).addEventListener("change", show);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", () => download(`${name}_${about.title}`));
  if (about.examples.length) await openExample(about.examples[0]);
  else $("status").textContent = "Ready for a picture.";
} catch (error) {
  fail(error);
}
