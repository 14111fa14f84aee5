// Gathers the facts and prints them as lines, or with --json as one object.
import { checkoutFacts } from './checkout.mjs';
import { machineFacts } from './machine.mjs';
import { selfCheck } from './self-check.mjs';

const marks = { ok: '✓', broken: '✗', note: '•' };
const width = 18;

/**
 * Facts are { name, value, state, remedy? }, in groups; state is 'ok' (checked and right), 'note' (merely said) or 'broken'.
 * @returns the exit code: 1 if anything is broken.
 */
export async function report(options, print = console.log) {
  const unknown = options.find((option) => option !== '--json');
  if (unknown) {
    console.error(`✗ ${unknown} is not an option: use --json or nothing.`);
    return 1;
  }
  const json = options.includes('--json');
  const groups = [];
  // A group that fails as a whole is a finding, not the end of the report.
  for (const [title, gather] of [['Machine', machineFacts], ['Checkout', checkoutFacts], ['Self-check', selfCheck]]) {
    let facts;
    try { facts = await gather(); } catch (error) { facts = [{ name: title, value: error.message, state: 'broken' }]; }
    groups.push({ title, facts });
    if (json) continue;
    print(`${title}`);
    for (const { name, value, state, remedy } of facts) print(`  ${marks[state]} ${name.padEnd(width)} ${value}${remedy ? ` → ${remedy}` : ''}`);
  }
  const broken = groups.flatMap((group) => group.facts).filter((fact) => fact.state === 'broken');
  if (json) {
    print(JSON.stringify({ ok: broken.length === 0, ...Object.fromEntries(groups.map(({ title, facts }) => [
      title.toLowerCase().replace('-', ''), Object.fromEntries(facts.map(({ name, value, state, remedy }) => [name, { value, state, ...(remedy ? { remedy } : {}) }]))])) }, null, 2));
  } else {
    const remedies = [...new Set(broken.map((fact) => fact.remedy).filter(Boolean))];
    print(broken.length === 0 ? 'All is well.' : `${broken.length} broken: ${broken.map((fact) => fact.name).join(', ')}.${remedies.length ? ` First: ${remedies[0]}` : ''}`);
  }
  return broken.length === 0 ? 0 : 1;
}
