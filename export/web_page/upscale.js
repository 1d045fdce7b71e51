// The controls of a generator that enlarges pictures of any size, tile by tile.

import {download, fail, finder, say, size} from "./generator.js";
import {level, takePictures} from "./pictures.js";

/** Starts a worker with the generator, and returns what runs a tile in it. */
export async function inWorker(about, runtime, model) {
  const worker = new Worker("worker.js");
  let pending = Promise.resolve();

  // One call after the other: each has the next message as its answer.
  function ask(call, given, moved = []) {
    const answered = () => new Promise((resolve, reject) => {
      worker.onmessage = ({data}) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.onerror = (event) => reject(new Error(event.message ?? "worker.js is missing."));
      worker.postMessage({call, ...given}, moved);
    });
    return (pending = pending.catch(() => {}).then(answered));
  }

  await ask("start", {about, runtime, model}, [model.buffer]);
  return (values) => ask("run", {values}, [values.buffer]);
}

/**
 * Where tiles are along a side: the first pixel of each, and from where to where it is used. All are
 * inside of the picture, unless that is smaller. A margin at each end is not used, except at the
 * ends of the picture: there the generator sees what it would of the whole.
 */
export function places(length, tile, margin) {
  const step = tile - 2 * margin, number = 1 + Math.max(0, Math.ceil((length - tile) / step));
  return Array.from({length: number}, (_, i) => ({
    start: Math.max(0, Math.min(i * step, length - tile)),
    from: i === 0 ? 0 : i * step + margin,
    to: i === number - 1 ? length : (i + 1) * step + margin,
  }));
}

/** Sets up the controls in a page; returns a function that begins with the first example. */
export function upscale(root, about, generate) {
  const $ = finder(root), stage = root.querySelector(".stage");
  const [tileHeight, tileWidth, channels] = about.input_shape, {margin, scale} = about;
  let name, work;

  /** A tile of the picture as floats in [-1, 1]; what is beyond its edges repeats them. */
  function values(top, left) {
    const {width, height} = $("before");
    const [wide, high] = [Math.min(tileWidth, width), Math.min(tileHeight, height)];
    const context = $("before").getContext("2d", {willReadFrequently: true});
    const {data} = context.getImageData(left, top, wide, high);
    return Float32Array.from({length: tileHeight * tileWidth * channels}, (_, i) => {
      const pixel = Math.floor(i / channels);
      const y = Math.min(Math.floor(pixel / tileWidth), high - 1);
      const x = Math.min(pixel % tileWidth, wide - 1);
      return level(data, y * wide + x, i % channels, channels) / 127.5 - 1;
    });
  }

  /** The canvases for a picture, if the browser has room for what is made of it. */
  function prepare(picture) {
    const made = [picture.height * scale, picture.width * scale];
    size($("before"), [picture.height, picture.width]);
    size($("image"), made);
    const before = $("before").getContext("2d", {willReadFrequently: true});
    before.fillStyle = "white"; // behind what is transparent
    before.fillRect(0, 0, picture.width, picture.height);
    before.drawImage(picture, 0, 0);
    const after = $("image").getContext("2d");
    after.fillRect(made[1] - 1, made[0] - 1, 1, 1);
    // A canvas that is too large draws nothing, and says nothing.
    if (!after.getImageData(made[1] - 1, made[0] - 1, 1, 1).data[3]) {
      size($("image"), [1, 1]);
      throw `a picture of ${picture.width}×${picture.height} becomes ${made[1]}×${made[0]}, and ` +
        "this browser draws none so large. Take a smaller part of it.";
    }
    after.clearRect(made[1] - 1, made[0] - 1, 1, 1);
    stage.classList.toggle("empty", false);
    stage.style.setProperty("--natural", `${made[1]}px`);
  }

  /** A picture as a list of tiles, of which the first `done` are there. */
  function plan(picture) {
    const rows = places(picture.height, tileHeight, margin);
    const columns = places(picture.width, tileWidth, margin);
    const tiles = rows.flatMap((row) => columns.map((column) => [row, column]));
    return {tiles, done: 0, milliseconds: 0, stopped: false, busy: false, title: `${picture.width}×` +
      `${picture.height} to ${scale * picture.width}×${scale * picture.height}`};
  }

  /** Goes on with a picture until it is done or stopped, or another one is opened. */
  async function go(mine) {
    mine.busy = true;
    $("stop").disabled = false;
    $("stop").textContent = "Stop";
    $("download").disabled = true;
    try {
      for (; mine.done < mine.tiles.length && !mine.stopped; mine.done++) {
        tell(mine);
        const [row, column] = mine.tiles[mine.done], started = performance.now();
        const {image} = await generate(values(row.start, column.start));
        if (work !== mine) return;
        mine.milliseconds += performance.now() - started;
        $("image").getContext("2d").putImageData(
          image, column.start * scale, row.start * scale,
          (column.from - column.start) * scale, (row.from - row.start) * scale,
          (column.to - column.from) * scale, (row.to - row.from) * scale);
      }
      tell(mine);
    } catch (error) {
      if (work !== mine) return;
      $("stop").disabled = true;
      fail($, error);
    } finally {
      mine.busy = false;
    }
  }

  function tell({tiles, done, milliseconds, stopped, title}) {
    const left = done ? milliseconds / done * (tiles.length - done) : NaN;
    $("progress").max = tiles.length;
    $("progress").value = done;
    if (done === tiles.length) {
      say($, `${title}, ${(milliseconds / 1000).toFixed(1)} s`);
      $("download").disabled = false;
      $("stop").disabled = true;
    } else if (stopped) {
      say($, `Stopped: ${done} of ${tiles.length} tiles of ${title}.`);
    } else {
      say($, `${title}: tile ${done + 1} of ${tiles.length}` +
        (done ? `, ${duration(left)} left` : ""));
    }
  }

  const openFirst = takePictures(root, about, async (picture, called) => {
    work = undefined; // what runs gives up
    try {
      prepare(picture);
    } catch (error) {
      for (const control of ["stop", "split"]) $(control).disabled = true;
      return fail($, error);
    }
    name = called;
    $("split").disabled = false;
    work = plan(picture);
    await go(work);
  });

  $("stop").addEventListener("click", () => {
    work.stopped = !work.stopped;
    $("stop").textContent = work.stopped ? "Go on" : "Stop";
    // The tile that is being made cannot be stopped: the loop that waits for it may go on, too.
    if (work.stopped || work.busy) tell(work);
    else go(work);
  });
  $("split").addEventListener("input", () =>
    stage.style.setProperty("--split", `${$("split").value}%`));
  $("view").addEventListener("change", () =>
    stage.classList.toggle("natural", $("view").value === "pixels"));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("download").addEventListener("click", () => download($, `${name}_${about.title}`));
  stage.classList.toggle("empty", !about.examples.length);

  return async () => {
    if (await openFirst()) return;
    say($, `Ready: choose, drop or paste a picture, and it becomes ${scale} times as large.`);
  };
}

function duration(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
