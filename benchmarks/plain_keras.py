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

model_file, card_file, x_file, y_file = sys.argv[1:]
with open(card_file, encoding="utf-8") as file:  # noqa: PTH123
    recorded = json.load(file)["metrics"]
model = keras.models.load_model(model_file)
x, y = np.load(x_file), np.load(y_file)
answers = model.predict(x, verbose=0)
if "test_accuracy" in recorded:
    companion = "accuracy"
    chosen = answers[np.arange(len(y)), y].astype("float64")
    loss = float(np.mean(-np.log(np.maximum(chosen, np.finfo("float32").tiny))))
    value = float(np.mean(answers.argmax(axis=1) == y))
else:
    companion = "mean_absolute_error"
    errors = answers[:, 0].astype("float64") - y
    loss, value = float(np.mean(errors**2)), float(np.mean(np.abs(errors)))
print(
    json.dumps(
        {
            companion: value,
            "loss": loss,
            f"recorded_{companion}": recorded[f"test_{companion}"],
            "recorded_loss": recorded["test_loss"],
            "samples": len(y),
        }
    )
)
