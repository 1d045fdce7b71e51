// The generator beside the page, which stays usable while it runs. A classic worker, because
// LiteRT.js loads its parts by `importScripts`, which a module has not.

let generate;

const calls = {
  async start({about, runtime, model}) {
    const {compile} = await import("./generator.js");
    // In a worker it would look for its parts beside the worker.
    self.Module = {locateFile: (name) => runtime + name};
    const litert = await import(`${runtime}index.js`);
    await litert.loadLiteRt(runtime);
    generate = await compile(litert, about, model);
    return {};
  },

  run: ({values}) => generate(values, []),
};

self.onmessage = async ({data: {call, ...given}}) => {
  try {
    const found = await calls[call](given);
    self.postMessage(found, found.image ? [found.image.data.buffer] : []);
  } catch (error) {
    self.postMessage({error: error.message ?? String(error)});
  }
};
