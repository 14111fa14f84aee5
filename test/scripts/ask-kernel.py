"""Asks a kernel of .venv, one JSON object a line on standard input, one answer a line on standard output:

    {"execute": CODE}                               → {"status": …, "text": what was printed, "errors": […]}
    {"complete": CODE} and {"inspect": CODE}        → the kernel's reply; the cursor stands where CODE has "|"
"""
import json
import sys

from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(startup_timeout=60, kernel_name='tslab', cwd=sys.argv[1])


def execute(code):
    texts, errors = [], []

    def hook(message):
        content = message['content']
        if message['msg_type'] == 'stream':
            texts.append(content['text'])
        elif message['msg_type'] == 'error':
            errors.append('\n'.join(content['traceback']))
    reply = client.execute_interactive(code, timeout=120, output_hook=hook, store_history=True)
    return {'status': reply['content']['status'], 'text': ''.join(texts), 'errors': errors}


def ask(kind, code):
    position = code.index('|')
    code = code[:position] + code[position + 1:]
    call = client.complete if kind == 'complete' else client.inspect
    return call(code, cursor_pos=position, reply=True, timeout=60)['content']


try:
    for line in sys.stdin:
        (kind, code), = json.loads(line).items()
        print(json.dumps(execute(code) if kind == 'execute' else ask(kind, code)), flush=True)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
