/** JupyterLab on this machine only. */
import { NotebookError, root, startPython } from './environment';

/** Settings that would open the server to others; it runs code for whoever reaches it. */
const OPENS = /(^|\.|-)(ip|allow_remote_access|allow_origin|allow_origin_pat|allow_unauthenticated_access|token|password|hashed_password|identity_provider_class|disable_check_xsrf|sock|config|gateway-url)(=|$)/i;

/**
 * Arguments for `jupyter lab`: the loopback address, its token, the project as root folder, our kernel for new notebooks.
 *
 * @throws NotebookError on an argument that would open the server to other machines or drop the token
 */
export function labArguments(extra: readonly string[], asRoot = process.getuid?.() === 0): string[] {
  for (const argument of extra) {
    const name = argument.replace(/^-+/, '');
    if (argument.startsWith('-') && OPENS.test(name)) {
      throw new NotebookError(`${argument}: JupyterLab stays on this machine and keeps its token. To reach it from elsewhere use an SSH tunnel: ssh -L 8888:127.0.0.1:8888 HOST.`);
    }
  }
  return [
    '-m', 'jupyterlab', ...extra,
    '--ServerApp.ip=127.0.0.1', '--ServerApp.allow_remote_access=False', `--ServerApp.root_dir=${root}`,
    '--MappingKernelManager.default_kernel_name=tslab', '--LabApp.extension_manager=readonly', ...(asRoot ? ['--allow-root'] : []),
  ];
}

/** Runs JupyterLab until it ends; resolves to its exit status. */
export async function runLab(extra: readonly string[]): Promise<number> {
  const child = startPython(labArguments(extra), { stdio: 'inherit' });
  // Ctrl-C reaches JupyterLab too, which asks whether to stop; this process waits for its answer.
  const wait = (): void => {};
  process.on('SIGINT', wait);
  const onTerm = (): void => { child.kill('SIGTERM'); };
  process.on('SIGTERM', onTerm);
  try {
    return await new Promise<number>((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 1)));
  } finally {
    process.off('SIGINT', wait).off('SIGTERM', onTerm);
  }
}
