// The controls of a generator that takes latents.

import {
  addMenus, addNumbers, download, draw, finder, makeSlider, newest, showImage, size,
} from "./generator.js";
import {randomState, sample, slerp} from "./latent.js";

const MOST_SEED = 2 ** 32 - 1; // of NumPy's RandomState
const TILES = 24, SECONDS = 2; // of the grid; of a walk from one seed to the next

/** Sets up the controls in a page or a part of one; returns a function that draws at first. */
export function explore(root, about, generate) {
  const $ = finder(root), {menus, chosen} = addMenus($, about.choices);
  const numbers = addNumbers($("truncation").parentElement, about.numbers);
  let firstSeed = 0, playing = false;

  const most = about.random_state ? MOST_SEED : Number.MAX_SAFE_INTEGER;

  /** Is it a seed? As text: a number field's fraction may round to a whole number. */
  function check(input) {
    const fits = /^\d+$/.test(input.value) && Number(input.value) <= most;
    input.setAttribute("aria-invalid", !fits);
    return fits;
  }
  const seedsFit = () => [$("seed"), $("to")].map(check).every(Boolean);
  const seedOf = (input) => Number(input.value);
  const truncation = () => $("truncation").value === $("truncation").max
    ? null : Number($("truncation").value);
  const latentOf = (seed) => about.random_state ? randomState(about.input_shape[0], seed)
    : sample(about.input_shape[0], seed, truncation());
  const sliders = () => [...root.querySelectorAll("#directions input")];

  /** A latent with the codes of the chosen classes for what was drawn: models.InfoGAN. */
  function coded(z) {
    if (about.codes === null) return z;
    z.fill(0, about.codes);
    const classes = chosen();
    about.choices.forEach(({place}, i) => {
      if (place !== undefined) z[place + classes[i]] = 1;
    });
    return z;
  }

  function latents() {
    const start = latentOf(seedOf($("seed"))), way = Number($("way").value);
    const z = coded(way ? slerp(start, latentOf(seedOf($("to"))), way) : start);
    const noise = z.subarray(0, about.codes ?? z.length);
    moveAlong(z, ({keeps_length}) => !keeps_length);
    const length = Math.hypot(...noise);
    moveAlong(z, ({keeps_length}) => keeps_length);
    const scale = length / Math.hypot(...noise); // keras_gans.directions.move
    if (Number.isFinite(scale)) noise.forEach((x, j) => noise[j] = x * scale);
    return z;
  }

  /** Adds to a latent what the sliders of some directions say. */
  function moveAlong(z, chosen) {
    sliders().forEach((slider, i) => {
      if (!chosen(about.directions[i])) return;
      about.directions[i].vector.forEach((x, j) => z[j] += slider.value * x);
    });
  }

  const show = newest($, async () => {
    if (!seedsFit()) throw `a seed is a whole number from 0 to ${most}.`;
    showImage($, await generate(latents(), chosen(), numbers()));
    markTile();
    for (const input of root.querySelectorAll("input[type=range]")) {
      const output = input.parentElement.querySelector("output");
      if (input.id === "way") output.value = `${Math.round(100 * input.value)} %`;
      else if (input.id === "truncation") output.value = truncation() ?? "off";
      else output.value = Number(input.value).toFixed(1);
    }
  });

  function markTile() {
    for (const radio of $("seeds").querySelectorAll("input")) {
      radio.checked = Number(radio.value) === seedOf($("seed"));
    }
  }

  const showGrid = newest($, async () => {
    const first = firstSeed, classes = chosen(), given = numbers(), limit = truncation();
    const changed = () => first !== firstSeed || limit !== truncation() ||
      `${classes}` !== `${chosen()}` || `${given}` !== `${numbers()}`;
    const tiles = [...$("seeds").children];
    tiles.forEach((tile, i) => {
      tile.querySelector("input").value = first + i;
      tile.querySelector("span").textContent = first + i;
    });
    markTile();
    $("earlier").disabled = first === 0;
    for (const [i, tile] of tiles.entries()) {
      if (changed()) return;
      const {image} = await generate(coded(latentOf(first + i)), classes, given);
      draw(tile.querySelector("canvas"), image);
      await new Promise((resolve) => setTimeout(resolve)); // lets the page react in between
    }
  });

  async function play() {
    playing = !playing && seedsFit();
    if (!playing) show(); // says so if it is a seed that stops it
    $("play").setAttribute("aria-pressed", playing);
    let before = performance.now();
    while (playing) {
      const now = await new Promise(requestAnimationFrame);
      let way = Number($("way").value) + Math.max(now - before, 0) / 1000 / SECONDS;
      before = now;
      if (way >= 1) { // on from there
        $("seed").value = seedOf($("to"));
        $("to").value = seedOf($("to")) + 1;
        way = 0;
      }
      $("way").value = way;
      await show();
      playing &&= seedsFit(); // behind the last seed there is none
    }
    $("play").setAttribute("aria-pressed", playing);
  }

  function choose(seed) {
    $("seed").value = seed;
    $("way").value = 0;
    show();
  }

  function makeTile() {
    const tile = document.createElement("label"), radio = document.createElement("input");
    const canvas = document.createElement("canvas");
    radio.type = "radio";
    radio.name = "tile";
    radio.addEventListener("change", () => choose(radio.value));
    size(canvas, about.image_shape);
    tile.append(radio, canvas, document.createElement("span"));
    return tile;
  }

  size($("image"), about.image_shape);
  $("seeds").append(...Array.from({length: TILES}, makeTile));
  // Where styles are truncated, latents are not: latent.random_state.
  for (const part of [$("truncation").parentElement, $("truncation_help")]) {
    part.hidden = about.random_state;
  }
  $("directions").hidden = !about.directions.length;
  $("reset").before(...about.directions.map(({name, limit}, number) =>
    makeSlider(`direction_${number}`, name, -limit, limit, 0)));

  // "input" comes with every move of a slider; "change" of a class or bound alters the grid too.
  $("controls").addEventListener("input", show);
  const ofAll = [...menus, $("truncation"), ...about.numbers.map((_, i) => $(`number_${i}`))];
  for (const control of ofAll) control.addEventListener("change", showGrid);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("another").addEventListener("click", () => choose(Math.floor(Math.random() * 1e6)));
  $("play").addEventListener("click", play);
  $("reset").addEventListener("click", () => {
    for (const slider of sliders()) slider.value = 0;
    show();
  });
  for (const [id, step] of [["earlier", -TILES], ["later", TILES]]) {
    $(id).addEventListener("click", () => {
      firstSeed = Math.max(firstSeed + step, 0);
      showGrid();
    });
  }
  $("download").addEventListener("click", () => download($, `${about.title}_${seedOf($("seed"))}`));

  return async () => {
    await show();
    await showGrid();
  };
}
