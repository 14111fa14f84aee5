import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseConfig, smolVLMSizes, type ConfigJson } from '../../../lib/models';
import { smolVLMConfigSchema } from '../../../lib/models/architectures/smolvlm';

const PUBLISHED = path.join(process.env.TOKENIZERS_DIR ?? path.resolve(__dirname, '../../../../shared/tokenizers'), 'smolvlm-256m');
const read = (json: object) => parseConfig(json as ConfigJson, smolVLMConfigSchema, 'config.json');
const text = { model_type: 'llama', hidden_size: 24, num_attention_heads: 4 };

describe('config.json of a SmolVLM', () => {
  it('says 256M where it is the published one', function () {
    if (!fs.existsSync(PUBLISHED)) {
      console.log(`      skipped: ${PUBLISHED} is not there`);
      this.skip();
    }
    const config = read(JSON.parse(fs.readFileSync(path.join(PUBLISHED, 'config.json'), 'utf8')) as object);
    const { visionConfig, textConfig, ...rest } = smolVLMSizes['256M'];
    assert.deepEqual(config, { ...config, ...rest, visionConfig: { ...config.visionConfig, ...visionConfig }, textConfig: { ...config.textConfig, ...textConfig } });
    assert.deepEqual([config.visionConfig.hiddenAct, config.visionConfig.layerNormEps, config.textConfig.hiddenAct], ['gelu_pytorch_tanh', 1e-6, 'silu']);
  });

  it('is refused where the network would be another one, by the key', () => {
    assert.equal(read({ vision_config: {}, text_config: text }).textConfig.hiddenSize, 24);
    assert.throws(() => read({ vision_config: {} }), /config\.json: text_config: /);
    assert.throws(() => read({ vision_config: {}, text_config: { ...text, model_type: 'mistral' } }), /text_config\.model_type: only llama is supported/);
    assert.throws(() => read({ vision_config: {}, text_config: { ...text, use_resampler: true } }), /text_config\.use_resampler: only false/);
    assert.throws(() => read({ vision_config: {}, text_config: { ...text, rope_scaling: { rope_type: 'llama3' } } }), /text_config\.rope_scaling\.rope_type: .*"llama3"/);
    assert.throws(() => read({ vision_config: { num_attention_heads: 5 }, text_config: text }), /vision_config\.num_attention_heads: hidden_size does not divide/);
    assert.throws(() => read({ vision_config: {}, text_config: text, scale_factor: 0 }), /scale_factor/);
  });
});
