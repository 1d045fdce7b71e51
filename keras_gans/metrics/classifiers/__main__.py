"""`python -m keras_gans.metrics.classifiers NAME` trains a classifier again, by its recipe."""

import sys

from keras_gans.metrics import classifiers
from keras_gans.metrics.classifiers import training

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m keras_gans.metrics.classifiers NAME")
    try:
        print(training.publish(classifiers.folder(sys.argv[1])))
    except ValueError as error:
        sys.exit(str(error))
