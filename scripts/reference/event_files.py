"""Records of an event file as TensorBoard's own writer makes them, in hexadecimal.

Run: python scripts/reference/event_files.py   (tensorboard 2.21)
Writes test/fixtures/training/event-files.json.

With a folder as argument it prints the scalars that TensorBoard reads from the event files in it.
"""
import io
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FILE = Path(__file__).parents[2] / "test/fixtures/training/event-files.json"


def record(event):
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


def scalars(seconds, step, values):
    return Event(wall_time=seconds, step=step, summary=Summary(value=[Summary.Value(tag=k, simple_value=v) for k, v in values.items()]))


if len(sys.argv) > 1:
    accumulator = EventAccumulator(sys.argv[1])
    accumulator.Reload()
    print(json.dumps({tag: [[e.step, e.value] for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}))
    sys.exit()

cases = [(1750000000.25, 0, {"train/loss": 0.5}), (1750000001.5, 300, {"train/loss": -1.25e-3, "Größe": 3e8}), (2.0, 2**40 + 7, {"x" * 200: 0.0, "n": float("inf")})]
FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text(json.dumps({
    "version": {"seconds": 1750000000.125, "record": record(Event(wall_time=1750000000.125, file_version="brain.Event:2"))},
    "start": {"seconds": 3.5, "step": 17, "record": record(Event(wall_time=3.5, step=17, session_log=SessionLog(status=SessionLog.START)))},
    "scalars": [{"seconds": t, "step": s, "values": {k: str(v) for k, v in d.items()}, "record": record(scalars(t, s, d))} for t, s, d in cases],
}, ensure_ascii=False, indent=0) + "\n")
