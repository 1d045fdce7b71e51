// Latents as keras_gans.latent draws them and moves between them. A test compares the two.

/** Philox 4x32-10 (Salmon 2011): four random integers of 32 bits, of a counter and a key. */
function philox(counter, key) {
  let [a, b, c, d] = counter, [k, l] = key;
  for (let round = 0; round < 10; round++) {
    const first = BigInt(0xd2511f53) * BigInt(a), second = BigInt(0xcd9e8d57) * BigInt(c);
    const [low, other] = [Number(first & 0xffffffffn), Number(second & 0xffffffffn)];
    a = (Number(second >> 32n) ^ b ^ k) >>> 0;
    c = (Number(first >> 32n) ^ d ^ l) >>> 0;
    [b, d] = [other, low];
    [k, l] = [(k + 0x9e3779b9) >>> 0, (l + 0xbb67ae85) >>> 0];
  }
  return [a, b, c, d];
}

/** The integers that TensorFlow's stateless functions draw of a seed, four at a time. */
function* integers(seed) {
  // The seed as two signed integers of 32 bits, each widened to 64: see latent.halves.
  const low = seed % 2 ** 32, high = Math.floor(seed / 2 ** 32);
  const widened = [low, low < 2 ** 31 ? 0 : 0xffffffff, high, 0];
  const [key, other, ...start] = philox(widened, [0x3ec8f720, 0x02461e29]);
  for (let group = 0; ; group++) yield philox([group, 0, ...start], [key, other]);
}

/** Standard normal latent: latent.sample(1, size, seed, truncation)[0]. */
export function sample(size, seed, truncation = null) {
  const values = [], f = Math.fround, inside = erf(truncation / Math.SQRT2);
  for (const four of integers(seed)) {
    if (truncation === null) {
      for (const [x, y] of [four.slice(0, 2), four.slice(2)]) { // Box and Muller 1958
        const unit = (bits) => f((bits & 0x7fffff) / 2 ** 23);
        const radius = f(Math.sqrt(f(-2 * f(Math.log(Math.max(unit(x), f(1e-7)))))));
        const angle = f(2 * Math.PI * unit(y));
        values.push(f(Math.sin(angle)) * radius, f(Math.cos(angle)) * radius);
      }
    } else {
      for (const [x, y] of [four.slice(0, 2), four.slice(2)]) {
        const unit = (x & 0xfffff) / 2 ** 20 + y / 2 ** 52;
        const value = Math.SQRT2 * inverseErf((2 * unit - 1) * inside);
        values.push(Math.max(-truncation, Math.min(truncation, value)));
      }
    }
    if (values.length >= size) return Float32Array.from(values.slice(0, size));
  }
}

/** Uniform numbers in [0, 1) of a seed of 32 bits: MT19937 (Matsumoto 1998), 53 bits of each two. */
function* twisted(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  let place = 624;
  const next = () => {
    if (place === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      place = 0;
    }
    let y = state[place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  for (;;) {
    const high = next() >>> 5;
    yield (high * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  }
}

/** The latent of a seed in NVIDIA's programs: latent.random_state(1, size, seed)[0]. */
export function randomState(size, seed) {
  const uniform = twisted(seed), values = [];
  while (values.length < size) { // the polar method (Marsaglia 1964)
    const x = 2 * uniform.next().value - 1, y = 2 * uniform.next().value - 1, r = x * x + y * y;
    if (r >= 1 || r === 0) continue;
    const factor = Math.sqrt(-2 * Math.log(r) / r);
    values.push(factor * y, factor * x);
  }
  return Float32Array.from(values.slice(0, size));
}

/** The error function, by its series without changes of sign. */
function erf(x) {
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** The x of an erf(x), by Newton's method from Winitzki's approximation. */
function inverseErf(y) {
  const log = Math.log(1 - y * y), half = 2 / (Math.PI * 0.147) + log / 2;
  let x = Math.sign(y) * Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
  for (let n = 0; n < 4; n++) x -= (erf(x) - y) * Math.sqrt(Math.PI) / 2 * Math.exp(x * x);
  return x;
}

/** The latent at a fraction of the great circle from one to another: latent.slerp. */
export function slerp(start, end, fraction) {
  const from = Math.hypot(...start), to = Math.hypot(...end);
  const first = Array.from(start, (x) => x / from), last = Array.from(end, (x) => x / to);
  const apart = Math.hypot(...first.map((x, i) => x - last[i]));
  const angle = 2 * Math.atan2(apart, Math.hypot(...first.map((x, i) => x + last[i])));
  const weight = (t) => angle < 1e-6 ? t : Math.sin(t * angle) / Math.sin(angle);
  const length = (1 - fraction) * from + fraction * to;
  const [a, b] = [weight(1 - fraction), weight(fraction)];
  return Float32Array.from(first, (x, i) => length * (a * x + b * last[i]));
}
