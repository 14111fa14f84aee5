import assert from 'node:assert/strict';
import { parseConfig } from '../../../lib/models';
import { llamaConfigSchema } from '../../../lib/models/architectures/llama';

const read = (json: object) => parseConfig({ hidden_size: 32, num_attention_heads: 4, ...json }, llamaConfigSchema, 'config.json');

describe('config.json of a Llama', () => {
  it('gives theta from rope_parameters, rope_theta, or the default, in this order', () => {
    assert.equal(read({ rope_parameters: { rope_type: 'default', rope_theta: 500 }, rope_theta: 7 }).ropeTheta, 500);
    assert.equal(read({ rope_theta: 100000, rope_scaling: null }).ropeTheta, 100000);
    assert.equal(read({}).ropeTheta, 10000);
  });

  it('refuses scaled positions by their name, in either place', () => {
    const message = /config\.json: rope_\w+\.rope_type: rotary positions of type "(llama3|linear|yarn)" are not supported, only "default"/;
    assert.throws(() => read({ rope_parameters: { rope_type: 'llama3', factor: 8, rope_theta: 500000 } }), message);
    assert.throws(() => read({ rope_scaling: { type: 'linear', factor: 2 } }), message);
    assert.throws(() => read({ rope_scaling: { rope_type: 'yarn', factor: 2 } }), message);
  });

  it('refuses heads that do not fit', () => {
    assert.throws(() => read({ num_attention_heads: 5 }), /num_attention_heads: hidden_size does not divide/);
    assert.throws(() => read({ num_key_value_heads: 3 }), /num_key_value_heads: num_attention_heads is not a multiple/);
    assert.throws(() => read({ head_dim: 7 }), /head_dim: .*even width/);
    assert.throws(() => read({ hidden_act: 'swish2' }), /hidden_act: /);
  });
});
