// The controls of a generator that takes images.

import {addMenus, download, finder, newest, say, showImage, size} from "./generator.js";
import {level, takePictures} from "./pictures.js";

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
    return Float32Array.from(
      {length: width * height * channels},
      (_, i) => level(data, Math.floor(i / channels), i % channels, channels) / 127.5 - 1);
  }

  const show = newest($, async () => {
    if (!picture) return;
    stage.classList.remove("empty");
    showImage($, await generate(values(), chosen()));
  });

  const openFirst = takePictures(root, about, async (opened, called) => {
    [picture, name] = [opened, called];
    await show();
  });

  size($("before"), about.input_shape);
  size($("image"), about.image_shape);
  stage.classList.toggle("empty", !about.examples.length);
  for (const control of [...menus, $("fit")]) control.addEventListener("change", show);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", () => download($, `${name}_${about.title}`));

  return async () => {
    if (await openFirst()) return;
    say($, "Ready: choose, drop or paste a picture, and it appears here beside its translation.");
  };
}
