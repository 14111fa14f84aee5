/** Clocks, and sides that take turns: what disturbs the machine for a while then disturbs all of them. */

/** Seconds by the wall's clock and of the processor, all threads; other work on the machine disturbs the second less. */
export interface Time { wall: number; processor: number }

/** Seconds since the clock was made, or since it was last read. */
export function clock(): () => Time {
  let start = performance.now(), used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    const time = { wall: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
    [start, used] = [performance.now(), process.cpuUsage()];
    return time;
  };
}

/** Does the work so many times. */
export function timed(work: () => void, count = 1): Time[] {
  return Array.from({ length: count }, () => {
    const read = clock();
    work();
    return read();
  });
}

/** Graphs are made within a network's first runs, which belong to no turn. */
export function warmUp(work: () => unknown, runs = 4): void { for (let i = 0; i < runs; i++) work(); }

/** A side's turn: some steps, and what each took. */
export type Turn = () => Time[] | Promise<Time[]>;

/** One turn of each side a round. The first round warms up and does not count. */
export async function takeTurns<Name extends string>(rounds: number, sides: Record<Name, Turn>): Promise<Record<Name, Time[]>> {
  const names = Object.keys(sides) as Name[];
  const times = Object.fromEntries(names.map((name): [string, Time[]] => [name, []])) as Record<Name, Time[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const turn = await sides[name]();
      if (round > 0) times[name].push(...turn);
    }
  }
  return times;
}
