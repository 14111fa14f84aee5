import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CaptionSourceRow, readCaptionSources, writeCaptionSources } from '../../lib/datasets/caption-sources';
import { temporaryFolder } from './temporary-folder';

const HEADER = 'original_caption,generated_caption,occlusion_level,source_model,image_filename';
const row = (change: Partial<CaptionSourceRow> = {}): CaptionSourceRow => ({
  originalCaption: 'A dog.', generatedCaption: 'a dog', occlusionLevel: 0, sourceModel: 'SmolVLM', imageFilename: 'a.jpg', ...change,
});

describe('caption sources', () => {
  const folder = temporaryFolder();
  const read = (text: string, options = {}) => readCaptionSources(folder.write('sources.csv', text), options);

  it('come back as they were written, whatever the captions hold', () => {
    const rows = [
      row(),
      row({ occlusionLevel: 80, generatedCaption: '' }),
      row({ sourceModel: 'Custom', generatedCaption: 'a "dog", running\nover\r\ngrass' }),
      row({ imageFilename: 'b, "c".jpg', originalCaption: '  Ünïcode 🐕 ', generatedCaption: '"quoted"' }),
    ];
    const file = join(folder.path, 'new', 'sources.csv');
    writeCaptionSources(file, rows);
    assert.deepEqual(readCaptionSources(file), rows);
    const text = readFileSync(file, 'utf8');
    assert.equal(text.split('\n')[0], HEADER);
    assert.equal(text.split('\n')[1], 'A dog.,a dog,0,SmolVLM,a.jpg');
    assert.ok(text.includes('"a ""dog"", running\nover\r\ngrass"'));
    assert.deepEqual(readdirSync(join(folder.path, 'new')), ['sources.csv'], 'nothing is left beside it');
  });

  it('are read with columns in any order, CRLF and a byte order mark', () => {
    const text = '\uFEFFimage_filename,source_model,occlusion_level,original_caption,generated_caption\r\na.jpg,Custom,10,A dog.,a dog\r\n';
    assert.deepEqual(read(text), [row({ sourceModel: 'Custom', occlusionLevel: 10 })]);
  });

  it('may have other models and levels, if that is said', () => {
    const text = `${HEADER}\nA dog.,a dog,25,BLIP,a.jpg\n`;
    assert.throws(() => read(text), /sources\.csv:2: the source model is 'BLIP'; expected SmolVLM or Custom\.$/);
    assert.deepEqual(read(text, { models: ['BLIP'], levels: [0, 25] }), [row({ sourceModel: 'BLIP', occlusionLevel: 25 })]);
  });

  const bad: [string, string, RegExp][] = [
    ['an empty file', '', /sources\.csv: the file has no header; expected original_caption,/],
    ['a missing column', 'original_caption,generated_caption,occlusion_level,image_filename\n', /:1: the header lacks source_model; it is '/],
    ['a header of other names', 'caption,prediction,level,model,image\n', /:1: the header lacks original_caption, .*expected original_caption,/],
    ['a sixth column', `${HEADER},index\n`, /:1: the header has a column 'index'/],
    ['a column twice', `${HEADER},source_model\n`, /:1: the header has a column 'source_model' that is not one of the five, or twice/],
    ['a row cut short', `${HEADER}\nA dog.,a dog,0,SmolVLM\n`, /:2: 4 fields where the header has 5\.$/],
    ['an unquoted comma', `${HEADER}\nA dog, brown.,a dog,0,SmolVLM,a.jpg\n`, /:2: 6 fields where the header has 5; a caption/],
    ['an unknown label', `${HEADER}\nA.,b,0,smolvlm,a.jpg\n`, /:2: the source model is 'smolvlm'; expected SmolVLM or Custom/],
    ['an unknown level', `${HEADER}\nA.,b,15,Custom,a.jpg\n`, /:2: the occlusion level is '15'; expected 0, 10, 50 or 80/],
    ['a level with a sign', `${HEADER}\nA.,b,10%,Custom,a.jpg\n`, /:2: the occlusion level is '10%'/],
    ['an empty level', `${HEADER}\nA.,b,,Custom,a.jpg\n`, /:2: the occlusion level is ''/],
    ['an empty original', `${HEADER}\n ,b,0,Custom,a.jpg\n`, /:2: the original caption is empty/],
    ['no file name', `${HEADER}\nA.,b,0,Custom,\n`, /sources\.csv:2: /],
    ['a row twice', `${HEADER}\n"A\ndog.",b,0,Custom,a.jpg\n\nA.,c,0,Custom,a.jpg\n`, /:5: 'a\.jpg' has .* Custom at 0 % already, in line 2/],
    ['an open quote', `${HEADER}\nA.,b,0,Custom,a.jpg\nA.,"b,10,Custom,a.jpg\n`, /:3: this is not CSV.*never closed/],
  ];
  for (const [what, text, message] of bad) it(`are refused with ${what}`, () => assert.throws(() => read(text), message));

  it('that could not be read again are not written', () => {
    const file = join(folder.path, 'sources.csv');
    const write = (...rows: CaptionSourceRow[]) => () => writeCaptionSources(file, rows);
    assert.throws(write(row(), row()), /row 2 cannot be written: 'a\.jpg' has a caption of SmolVLM at 0 % already, in row 1/);
    assert.throws(write(row({ occlusionLevel: 10.5 })), /row 1 cannot be written: the occlusion level is '10\.5'/);
    assert.ok(!existsSync(file));
  });
});
