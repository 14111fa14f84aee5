"""Fixtures of classification metrics from scikit-learn.

Run: python scripts/reference/classification.py   (scikit-learn 1.9.1)
Writes test/fixtures/metrics/classification.json. NaN and infinities are written as text.
"""
import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score, roc_curve

warnings.simplefilter("ignore")
FILE = Path(__file__).parents[2] / "test/fixtures/metrics/classification.json"
random = np.random.default_rng(3)


def plain(values):
    return [v if np.isfinite(v) else str(v) for v in np.asarray(values, dtype=float).ravel().tolist()]


def report(name, labels, predictions, classes):
    every = list(range(classes))
    scores = {}
    for division in (0, 1, np.nan):
        rows = precision_recall_fscore_support(labels, predictions, labels=every, zero_division=division)
        scores[str(division)] = {"classes": [plain(r) for r in rows[:3]], "support": plain(rows[3])} | {
            average: plain(precision_recall_fscore_support(labels, predictions, labels=every, average=average, zero_division=division)[:3])
            for average in ("macro", "weighted")}
    return {"name": name, "labels": list(map(int, labels)), "predictions": list(map(int, predictions)), "classes": classes, "scores": scores,
            "accuracy": accuracy_score(labels, predictions), "confusion": confusion_matrix(labels, predictions, labels=every).tolist()}


def curve(name, labels, scores):
    result = {"name": name, "labels": list(map(int, labels)), "scores": plain(scores), "auc": plain([roc_auc_score(labels, scores)])[0]}
    for key, drop in (("dropped", True), ("whole", False)):
        fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=drop)
        result[key] = {"falsePositiveRate": plain(fpr), "truePositiveRate": plain(tpr), "thresholds": plain(thresholds)}
    return result


two, three = random.integers(0, 2, 60), random.integers(0, 3, 50)
noisy = np.where(random.random(60) < 0.8, two, 1 - two)
continuous = two + random.normal(0, 1, 60)
FILE.write_text(json.dumps({
    "reports": [
        report("two classes", two, noisy, 2),
        report("three classes", three, np.where(random.random(50) < 0.6, three, random.integers(0, 3, 50)), 3),
        report("a class never predicted", three, np.where(three == 1, 0, three), 3),
        report("a class that nothing is of", np.where(three == 2, 0, three), three, 3),
        report("a class neither there nor predicted", two, noisy, 3),
        report("one class alone, all right", np.ones(7, int), np.ones(7, int), 2),
        report("one class alone, all wrong", np.zeros(5, int), np.ones(5, int), 2),
        report("always the same answer", two, np.zeros(60, int), 2),
    ],
    "curves": [
        curve("continuous scores", two, continuous),
        curve("many ties", two, np.round(continuous)),
        curve("scores all alike", two, np.full(60, 0.25)),
        curve("perfect", two, two * 2.0),
        curve("all the wrong way round", two, -two * 1.0),
        curve("positives alone", np.ones(6, int), random.normal(size=6)),
        curve("negatives alone", np.zeros(6, int), random.normal(size=6)),
        curve("two examples", np.array([0, 1]), np.array([0.3, 0.4])),
    ],
}) + "\n")
