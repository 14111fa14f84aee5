"""Executes one notebook and reports on standard output, a JSON object a line (scripts/notebooks/run.ts reads them).

    .venv/bin/python scripts/notebooks/execute.py NOTEBOOK WORKING_FOLDER [SECONDS]

NOTEBOOK is a temporary copy: it is overwritten with what ran, complete or not. The kernel works in WORKING_FOLDER. With SECONDS,
the notebook as a whole may take that long.

Who runs strangers' notebooks writes a secret word and a line feed on standard input and leaves it open. Then every report carries the
word, so that a notebook cannot make one up; the last one has the digest of the file; and when the input ends, this ends, too. On Linux
it ends with all that the notebook has started, daemons of other sessions and environments among them.
"""
import ctypes
import hashlib
import json
import os
import signal
import sys
import threading
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

path, folder = sys.argv[1:3]
limit = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
deadline = time.monotonic() + limit


word = '' if sys.stdin is None or sys.stdin.isatty() else sys.stdin.readline().strip()
reports = sys.stdout
if word:
    # The kernel inherits file descriptor 1: it must not be the one that is read.
    reports = os.fdopen(os.dup(1), 'w')
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: whom its parent has left becomes a child of this process
    threading.Thread(target=lambda: (sys.stdin.read(), end_children(), os._exit(1)), daemon=True).start()


def emit(event, **fields):
    print(json.dumps({'event': event, **fields, **({'word': word} if word else {})}), file=reports, flush=True)


def end_children():
    """Ends all that this process has started. The children of what has ended are its own by then, so there are several rounds."""
    for _ in range(200 if sys.platform == 'linux' else 0):
        try:
            for task in os.listdir('/proc/self/task'):
                for child in open(f'/proc/self/task/{task}/children').read().split():
                    os.kill(int(child), signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:  # none is left
            return
        except OSError:  # one has ended meanwhile, and was waited for by another thread
            pass
        time.sleep(0.02)


class Skipped(Exception):
    """The kernel answered, but not that it ran the cell."""


class Client(NotebookClient):
    """Passes the text of progress bars on and watches the kernel's memory."""

    def process_message(self, msg, cell, cell_index):
        if msg['msg_type'] in ('display_data', 'update_display_data'):
            content = msg['content']
            if str(content.get('transient', {}).get('display_id', '')).startswith('captioning-progress-'):
                emit('progress', text=content['data'].get('text/plain', ''))
        return super().process_message(msg, cell, cell_index)

    def peak_memory(self):
        """Highest resident memory of the kernel so far in bytes; None where the system does not tell."""
        try:
            with open(f'/proc/{self.km.provisioner.pid}/status') as status:
                return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmHWM:'))
        except (OSError, StopIteration, AttributeError):
            return None


book = nbformat.read(path, as_version=4)
numbers = {}  # position in the notebook → number among the code cells that hold code
for position, each in enumerate(book.cells):
    if each.cell_type == 'code':
        each.outputs, each.execution_count = [], None
        if each.source.strip():
            numbers[position] = len(numbers) + 1
current, ran, peak, process = None, set(), None, None


def on_start(cell, cell_index):
    global current, process
    process = client.km.provisioner.process  # nbclient forgets it when the kernel dies
    if cell_index in numbers:
        current = cell_index
        emit('cell', number=numbers[cell_index], total=len(numbers))


def on_executed(cell, cell_index, execute_reply):
    global peak
    peak = client.peak_memory() or peak
    status = execute_reply['content'].get('status')
    if status == 'ok' or (status == 'error' and 'raises-exception' in cell.metadata.get('tags', [])):
        ran.add(cell_index)
    elif status != 'error':  # an error is raised by nbclient itself, with its message
        raise Skipped(f'the kernel skipped the cell (it answered "{status}")')


client = Client(
    book, kernel_name='tslab', record_timing=False, store_widget_state=False, startup_timeout=120, shutdown_kernel='immediate',
    timeout_func=(lambda cell: max(1, int(deadline - time.monotonic()))) if limit else None,
    on_cell_start=on_start, on_cell_executed=on_executed, resources={'metadata': {'path': folder}})


def failed(kind, message, ename='', traceback=()):
    cell = book.cells[current] if current is not None else None
    emit('failed', kind=kind, message=message, ename=ename, traceback=list(traceback),
         number=numbers.get(current), source=cell.source if cell else '')
    return 1


code = 0
try:
    client.execute()
    missed = [numbers[position] for position in numbers if position not in ran]
    if missed:
        current = next(position for position in numbers if numbers[position] == missed[0])
        code = failed('skipped', f'{len(missed)} of {len(numbers)} cells never ran')
    else:
        emit('finished', peak=peak)
except CellExecutionError as error:
    outputs = [output for output in book.cells[current].outputs if output.output_type == 'error']
    code = failed('error', error.evalue, error.ename, outputs[-1].traceback if outputs else [])
except CellTimeoutError:
    code = failed('timeout', f'not done after {limit:g} s')
except DeadKernelError:
    status = process.returncode if process else None
    reason = ' (killed: the machine may have run out of memory)' if status == -9 else f' (exit status {status})' if status is not None else ''
    code = failed('died', f'the kernel died{reason}')
except Skipped as error:
    code = failed('skipped', str(error))
except Exception as error:  # the kernel did not start, say
    code = failed('other', f'{type(error).__name__}: {error}')
text = f'{nbformat.writes(book)}\n'.encode()
with open(path, 'wb') as file:
    file.write(text)
if word:
    emit('written', sha256=hashlib.sha256(text).hexdigest())
    end_children()
    os._exit(code)  # the thread that reads standard input would hold it up
sys.exit(code)
