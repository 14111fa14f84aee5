/** Sets environment variables (undefined removes one); the answer puts the former ones back. */
export function withEnvironment(values: Readonly<Record<string, string | undefined>>): () => void {
  const former = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
  const set = (all: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete process.env[name]; else process.env[name] = value;
  };
  set(values);
  return () => set(former);
}
