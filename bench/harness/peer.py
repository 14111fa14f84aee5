"""What the Python sides of the benchmarks share: answering requests, clocks, peak memory."""
import json
import resource
import sys
import time

import numpy as np


def values(file, shape):
    """What harness/library.ts' writeTensor wrote."""
    return np.fromfile(file, np.float32).reshape(shape)


def timed(work, count=1):
    """Does the work so many times; the wall's and the processor's seconds of each."""
    times = []
    for _ in range(count):
        wall, used = time.perf_counter(), time.process_time()
        work()
        times.append({"wall": time.perf_counter() - wall, "processor": time.process_time() - used})
    return times


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak():
    """Peak resident memory in bytes since reset_peak, as Linux counts it; elsewhere since the process began."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(versions, threads, *functions):
    """Reads requests, one a line in JSON: the name of a function in "what", its arguments beside; prints what it returns."""
    known = {function.__name__: function for function in functions}
    print(json.dumps({"versions": versions, "threads": threads}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(known[request.pop("what")](**request)), flush=True)
