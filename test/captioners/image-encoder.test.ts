import assert from 'node:assert/strict';
import { ImageEncoder } from '../../lib/captioners';
import { tensorCount, tf } from '../../lib/engine';
import { ResNet } from '../../lib/models';

describe('ImageEncoder', () => {
  it('stops after so many of a ResNet\'s stages, with a fingerprint of its own', () => {
    const before = tensorCount();
    const [whole, three] = [ImageEncoder.load('resnet50-scenes'), ImageEncoder.load('resnet50-scenes', { stages: 3 })];
    assert.deepEqual([whole.positions, whole.featureSize, three.positions, three.featureSize], [25, 512, 100, 256]);
    assert.deepEqual(three.grid, [10, 10]);
    assert.notEqual(three.fingerprint, whole.fingerprint);
    for (const encoder of [whole, three]) encoder.dispose();
    assert.equal(tensorCount(), before);
  });

  it('refuses stages of other networks and numbers that a ResNet has not, and leaves nothing behind', () => {
    const before = tensorCount();
    const message = /stages is 2 of a MobileNetV2: expected 1, 2 or 3 stages of a ResNet/;
    assert.throws(() => ImageEncoder.load('mobilenet_v2-scenes', { stages: 2 }), message);
    assert.throws(() => ImageEncoder.load('resnet50-scenes', { stages: 4 }), /stages is 4 of a ResNet/);
    assert.equal(tensorCount(), before);
  });

  it('has another fingerprint once weights that are trained have moved', () => {
    const encoder = ImageEncoder.load('resnet50-scenes'), frozen = encoder.fingerprint;
    const [block] = (encoder.network as ResNet).layer4;
    const [parameter] = block.unfreeze().parameters(), start = encoder.fingerprint;
    assert.equal(encoder.fingerprint, start);
    parameter.assign(tf.mul(parameter.tensor, 1.01));
    assert.equal(new Set([frozen, start, encoder.fingerprint]).size, 3);
    encoder.dispose();
  });
});
