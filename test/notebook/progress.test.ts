import assert from 'node:assert/strict';
import { progress } from '../../lib/notebook/progress';
import { formatDuration } from '../../lib/notebook/duration';
import { inFakeNotebook } from './fake-kernel';

const stream = (isTTY: boolean) => { const writes: string[] = []; return { writes, isTTY, columns: 80, write: (text: string) => { writes.push(text); } }; };

describe('progress', () => {
  it('redraws one output at most five times a second and leaves one line of text', async () => {
    let time = 0;
    const shown = await inFakeNotebook(() => {
      const bar = progress(1000, 'Epoch <1>', { now: () => time });
      for (let step = 1; step <= 1000; step++) { time += 10; bar.step({ loss: 1000 / step }); }
      bar.done();
      bar.done();
      bar.step();
    });
    assert.ok(shown.length <= 2 + 10_000 / 200, `${shown.length} messages for 1000 steps in 10 s`);
    assert.ok(shown.length > 20);
    assert.deepEqual(shown.map(({ update }) => update), [false, ...Array(shown.length - 1).fill(true)]);
    assert.equal(new Set(shown.map(({ transient }) => transient.display_id)).size, 1);
    const middle = shown[25].data;
    assert.match(String(middle['text/html']), /<progress value="\d+" max="1000"/);
    assert.match(String(middle['text/plain']), /^Epoch <1> · \d+\/1000 steps · [\d.]+ s · 100 steps\/s · [\d.]+ s left · loss [\d.]+$/);
    const last = shown[shown.length - 1].data;
    assert.equal(last['text/plain'], 'Epoch <1> · 1000/1000 steps · 10 s · 100 steps/s · loss 1');
    assert.equal(last['text/html'], '<div>Epoch &lt;1&gt; · 1000/1000 steps · 10 s · 100 steps/s · loss 1</div>');
  });

  it('tells the time left from the speed of the last seconds, not from the slow start', async () => {
    let time = 0;
    const shown = await inFakeNotebook(() => {
      const bar = progress(100, '', { now: () => time });
      time += 30_000; bar.step();
      for (let step = 2; step <= 50; step++) { time += 300; bar.step(); }
    });
    assert.match(String(shown[shown.length - 1].data['text/plain']), /3\.33 steps\/s · 15 s left/);
  });

  it('draws one line in a terminal, cut to its width, once the work takes half a second', () => {
    let time = 0;
    const terminal = stream(true);
    const bar = progress(100, 'a label that is rather long for a terminal of eighty columns', { now: () => time, stream: terminal });
    time = 400; bar.step();
    assert.equal(terminal.writes.length, 0);
    time = 600; bar.step();
    time = 650; bar.step();
    assert.equal(terminal.writes.length, 1);
    assert.ok(terminal.writes[0].startsWith('\r\x1b[2K') && !terminal.writes[0].includes('\n'));
    assert.equal([...terminal.writes[0].slice(5)].length, 79);
    bar.done();
    assert.ok(terminal.writes[1].endsWith('\n'));
  });

  it('does not flood a log: silent below half a minute, then a line every half minute', () => {
    let time = 0;
    const short = stream(false), long = stream(false);
    const quick = progress(10_000, '', { now: () => time, stream: short });
    for (let i = 0; i < 10_000; i++) { time += 2; quick.step({ loss: i }); }
    quick.done();
    assert.deepEqual(short.writes, []);
    const slow = progress(1000, 'epoch', { now: () => time, stream: long });
    for (let i = 0; i < 1000; i++) { time += 100; slow.step(); }
    slow.done('saved');
    assert.equal(long.writes.length, 4);
    assert.ok(long.writes.every((line) => line.endsWith('\n') && !line.includes('\r')));
    assert.match(long.writes[3], /1000\/1000 steps · 1 min 40 s · 10\.0 steps\/s · saved\n$/);
  });

  it('refuses a total that is no number of steps', () => {
    assert.throws(() => progress(NaN), /total must be a number of steps/);
    assert.throws(() => progress(-1), RangeError);
  });
});

describe('formatDuration', () => {
  for (const [seconds, text] of [[0, '0.0 s'], [9.94, '9.9 s'], [59.4, '59 s'], [59.96, '1 min 00 s'], [125, '2 min 05 s'], [7380, '2 h 03 min'], [NaN, '?']] as const) {
    it(`${seconds} s reads "${text}"`, () => assert.equal(formatDuration(seconds), text));
  }
});
