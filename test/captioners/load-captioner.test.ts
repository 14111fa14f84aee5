import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { FeatureCaptioner, loadCaptioner, PretrainedCaptioner, PromptedCaptioner } from '../../lib/captioners';
import { loadScenes } from '../../lib/datasets';
import { Random, tensorCount } from '../../lib/engine';
import { buildCaptioner, buildVitGpt2, buildVitGpt2Prompt, loadEncoder, mobileNetGru, partA, vitGpt2Prompt } from '../../lib/experiments';

describe('loadCaptioner', function suite() {
  this.timeout(60_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'captioner-'));
  after(() => fs.rmSync(folder, { recursive: true }));

  it('loads whichever captioner was saved, to the same captions', async () => {
    const dataset = loadScenes(), tensors = tensorCount();
    const small = { ...mobileNetGru.small, decoder: { ...mobileNetGru.small.decoder, embedSize: 16, hiddenSize: 16 } };
    const makers = [
      { kind: FeatureCaptioner, make: () => buildCaptioner(small, dataset, loadEncoder(small), new Random(1)) },
      { kind: PretrainedCaptioner, make: () => buildVitGpt2(partA.small.custom) },
      { kind: PromptedCaptioner, make: () => buildVitGpt2Prompt(vitGpt2Prompt.small, loadEncoder(vitGpt2Prompt.small), new Random(1)) },
    ];
    for (const { kind, make } of makers) {
      const captioner = make(), at = path.join(folder, kind.name);
      const [{ text }] = await captioner.caption([dataset.records[0].image], { maxNewTokens: 6 });
      captioner.save(at);
      captioner.dispose();
      const loaded = loadCaptioner(at);
      assert.equal(loaded.constructor, kind);
      assert.equal((await loaded.caption([dataset.records[0].image], { maxNewTokens: 6 }))[0].text, text);
      loaded.dispose();
    }
    assert.equal(tensorCount(), tensors);
  });

  it('says what a folder holds instead', () => {
    const types = /gpt2-scenes holds a model of type 'gpt2'; captioners are of the types attention_gru_captioner, .*blip, smolvlm/;
    assert.throws(() => loadCaptioner('gpt2-scenes'), types);
    fs.mkdirSync(path.join(folder, 'empty'));
    assert.throws(() => loadCaptioner(path.join(folder, 'empty')), /empty has no config\.json with a model_type/);
    assert.throws(() => loadCaptioner(path.join(folder, 'nowhere')), /nowhere/);
    const lists: [string[], RegExp][] = [[['blip'], /holds a model of type '\["blip"\]'; captioners/],
      [Array<string>(500).fill('blip'), /\["blip","blip",.*…';/]];
    for (const [type, said] of lists) {
      fs.writeFileSync(path.join(folder, 'empty', 'config.json'), JSON.stringify({ model_type: type }));
      assert.throws(() => loadCaptioner(path.join(folder, 'empty')), ({ message }: Error) => said.test(message) && message.length < 600);
    }
  });
});
