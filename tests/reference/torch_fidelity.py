"""Numbers of torch-fidelity, which our metrics are compared with.

It needs PyTorch, so this runs in an environment of its own, by hand:

    python3.11 -m venv fidelity
    fidelity/bin/pip install "torch-fidelity==0.4.0"
    fidelity/bin/python tests/reference/torch_fidelity.py

It writes `torch_fidelity.json` beside itself: for each case its arguments and results, and the
versions that made them. The tests read that file, and call `arrays` for the same features.
"""

import json
import pathlib
import sys

import numpy as np

CASES = {
    # name: seed, real, generated, features
    "many": (0, 1000, 1000, 16),
    "unlike_numbers": (1, 700, 500, 8),
    "singular": (2, 40, 30, 64),
    "one_distribution": (3, 600, 600, 16),
}


def arrays(seed, real, generated, features):
    """Features of both kinds, correlated and not centred, and logits of 10 classes, in float64.

    `RandomState` draws the same numbers in every version of NumPy.
    """
    rng = np.random.RandomState(seed)
    mixing = rng.standard_normal((features, features)) / np.sqrt(features)
    x = rng.standard_normal((real, features)) @ mixing + 1.0
    y = rng.standard_normal((generated, features)) @ mixing + 1.0
    if seed != 3:  # moved, narrower, and every tenth a copy of a real one
        y = 0.8 * y + 0.5
        y[::10] = x[: len(y[::10])]
    return x, y, 2.0 * rng.standard_normal((generated, 10))


def main():
    import torch
    import torch_fidelity
    from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

    cases = {}
    for name, arguments in CASES.items():
        generators = arrays(*arguments)
        real, generated, logits = (torch.from_numpy(array) for array in generators)
        statistics = [metric_fid.fid_features_to_statistics(x) for x in (generated, real)]
        case = {"sums": [float(array.sum()) for array in generators]}
        case |= metric_fid.fid_statistics_to_metric(*statistics, verbose=False)
        # All examples as one subset leave nothing to chance.
        size = min(len(real), len(generated))
        whole = metric_kid.kid_features_to_metric(
            generated[:size], real[:size], kid_subsets=1, kid_subset_size=size, verbose=False
        )
        case["kernel_of_the_first"] = [size, whole["kernel_inception_distance_mean"]]
        subsets = {"kid_subsets": 200, "kid_subset_size": size // 2}
        drawn = metric_kid.kid_features_to_metric(generated, real, **subsets, verbose=False)
        case["kernel_of_subsets"] = {
            "num_subsets": 200,
            "subset_size": size // 2,
            "value": drawn["kernel_inception_distance_mean"],
            "stddev": drawn["kernel_inception_distance_std"],
        }
        for k in (3, 5):
            found = metric_prc.prc_features_to_metric(
                generated, real, prc_neighborhood=k, verbose=False
            )
            case[f"precision_recall_{k}"] = [found["precision"], found["recall"]]
        for splits in (1, 10):
            found = metric_isc.isc_features_to_metric(logits, splits, shuffle=False)
            case[f"inception_score_{splits}"] = [
                found["inception_score_mean"],
                found["inception_score_std"],
            ]
        cases[name] = case
    versions = {
        "python": sys.version.split()[0],
        "torch_fidelity": torch_fidelity.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps({"cases": cases, "versions": versions}, indent=1) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes, {versions}")


if __name__ == "__main__":
    # A script's own folder comes first in the search path, and this file has the package's name.
    sys.path.pop(0)
    main()
