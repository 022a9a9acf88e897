"""Scores an exported model with plain Keras, in a process where importing evonas fails. Prints JSON.

python plain_keras.py best.keras best.json x.npy y.npy
"""

import json
import sys

sys.modules["evonas"] = None  # type: ignore[assignment]  # from here on, `import evonas` raises ImportError
try:
    import evonas  # noqa: F401
except ImportError:
    pass
else:
    sys.exit("evonas could be imported: this process shows nothing")

import keras
import numpy as np
from sklearn.datasets import load_digits

model_file, card_file, x_file, y_file = sys.argv[1:]
with open(card_file, encoding="utf-8") as file:  # noqa: PTH123
    card = json.load(file)
model = keras.models.load_model(model_file)
x, y = np.load(x_file), np.load(y_file)
known = {image.astype("float32").tobytes() for image in load_digits().images}
probabilities = model.predict(x, verbose=0)
chosen = probabilities[np.arange(len(y)), y].astype("float64")
print(
    json.dumps(
        {
            "accuracy": float(np.mean(probabilities.argmax(axis=1) == y)),
            "loss": float(np.mean(-np.log(np.maximum(chosen, np.finfo("float32").tiny)))),
            "recorded_accuracy": card["metrics"]["test_accuracy"],
            "recorded_loss": card["metrics"]["test_loss"],
            "samples": len(y),
            "raw": all(row.tobytes() in known for row in x),
        }
    )
)
