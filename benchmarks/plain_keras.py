"""Scores an exported model with plain Keras and prints JSON.

In this process, importing evonas fails.

    python plain_keras.py best.keras best.json x.npy y.npy
"""

import json
import sys

# from here on, `import evonas` raises ImportError
sys.modules["evonas"] = None  # type: ignore[assignment]
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
x = np.load(x_file)
y = np.load(y_file)
answers = model.predict(x, verbose=0)
if "test_accuracy" in recorded:
    companion = "accuracy"
    chosen = answers[np.arange(len(y)), y].astype("float64")
    # a probability of 0 has no logarithm
    chosen = np.maximum(chosen, np.finfo("float32").tiny)
    loss = float(np.mean(-np.log(chosen)))
    value = float(np.mean(answers.argmax(axis=1) == y))
else:
    companion = "mean_absolute_error"
    errors = answers[:, 0].astype("float64") - y
    loss = float(np.mean(errors**2))
    value = float(np.mean(np.abs(errors)))
# what `model.evaluate` calls them; its own loss has the penalties of the layers
evaluated = model.evaluate(x, y, verbose=0, return_dict=True)
plain_loss = "sparse_categorical_crossentropy" if companion == "accuracy" else "mean_squared_error"
found = {
    f"evaluated_{companion}": evaluated[companion],
    "evaluated_loss": evaluated[plain_loss],
    companion: value,
    "loss": loss,
    f"recorded_{companion}": recorded[f"test_{companion}"],
    "recorded_loss": recorded["test_loss"],
    "samples": len(y),
}
print(json.dumps(found))
