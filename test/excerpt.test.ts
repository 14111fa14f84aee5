import assert from 'node:assert/strict';
import { excerpt, readable } from '../lib/excerpt';

describe('excerpt', () => {
  it('is short, on one line and without control characters', () => {
    assert.equal(excerpt('a "dog"\n\x1b[2J\t'), '\'a "dog"\\n\\u001b[2J\\t\'');
    assert.equal(excerpt('x'.repeat(100), 5), "'xxxxx…'");
  });
});

describe('readable', () => {
  it('keeps paths and sentences, shortens what is no word, and shows control characters', () => {
    const path = `/${'folder/'.repeat(100)}file`;
    assert.equal(readable(`${path}:\n1 is wrong`), `${path}:\n1 is wrong`);
    assert.equal(readable(`the key ${'k'.repeat(1e6)} is`), `the key ${'k'.repeat(200)}… is`);
    assert.equal(readable('\x1b[2Ja\0'), '\\x1b[2Ja\\x00');
  });
});
