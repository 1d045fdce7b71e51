"""`python -m keras_gans.cli`: the command line where no `keras-gans` is on the path."""

from keras_gans.cli import run

if __name__ == "__main__":
    run()
