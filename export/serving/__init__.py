"""Serving exports: configuration for TF Serving, a client, and a server to try both with."""

from keras_gans.export.serving.client import Client, GrpcClient, ServingError
from keras_gans.export.serving.configuration import write_configuration
from keras_gans.export.serving.server import Server, serve

__all__ = ["Client", "GrpcClient", "Server", "ServingError", "serve", "write_configuration"]
