import assert from 'node:assert/strict';
import { parsePreprocessorConfig } from '../../lib/images';

const whole = { image_processor_type: 'ViTImageProcessor', size: { height: 32, width: 32 }, resample: 2, image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5] };

describe('a preprocessor_config.json that was tampered with', () => {
  const bad: [string, object, RegExp][] = [
    ['sizes beyond what networks take', { size: { height: 65_535, width: 65_535 } }, /'size'/],
    ['a crop beyond what networks take', { do_center_crop: true, crop_size: 65_535 }, /'crop_size'/],
    ['a size below one', { size: 0 }, /'size'/],
    ['a deviation of nothing', { image_std: [0.5, 0, 0.5] }, /'image_std': must be above 0/],
    ['a deviation that makes infinities', { image_std: [5e-324, 0.5, 0.5] }, /'image_std': must be above 0/],
    ['a mean beyond all numbers', { image_mean: [1e308, 0, 0] }, /'image_mean/],
    ['a filter that is none', { resample: 6 }, /'resample'/],
    ['a class name of a megabyte, in a short message', { image_processor_type: 'x'.repeat(2 ** 20), resample: null },
      /^.{0,300}'resample' is missing, and 'x{60}…' does not say/],
  ];
  for (const [what, change, message] of bad) {
    it(`is refused: ${what}`, () => assert.throws(() => parsePreprocessorConfig({ ...whole, ...change }, 'f.json'), (error: Error) => {
      assert.match(error.message, message);
      return error.message.startsWith('f.json: ');
    }));
  }
});
