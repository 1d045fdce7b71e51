// The page of one generator, in a folder of files.

import {explore} from "./explore.js";
import {compile, fail, finder, requireWebAssembly} from "./generator.js";
import {translate} from "./translate.js";
import {inWorker, upscale} from "./upscale.js";

const $ = finder(document), controls = {latents: explore, images: translate, upscale};

async function found(file) {
  const reply = await fetch(file);
  if (!reply.ok) throw new Error(`${file} is missing (${reply.status}). Copy the whole folder.`);
  return reply;
}

async function inPage(about, runtime, model) {
  const litert = await import(`${runtime}index.js`);
  await litert.loadLiteRt(runtime);
  return compile(litert, about, model);
}

try {
  requireWebAssembly();
  const about = await (await found("model.json")).json();
  const runtime = new URL(about.runtime, document.baseURI).href;
  const model = new Uint8Array(await (await found(about.model)).arrayBuffer());
  // Many tiles take minutes, one picture of a small generator does not.
  const start = about.input === "upscale" ? inWorker : inPage;
  const generate = await start(about, runtime, model);
  const begin = controls[about.input](document, about, generate);
  $("generator").disabled = false;
  await begin();
} catch (error) {
  fail($, error);
}
