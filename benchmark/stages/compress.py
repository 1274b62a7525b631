"""Stage compress: the JPEG files of the merged training or test images."""

import shutil

import pandas as pd

from benchmark import compression, datasets, faces, jsonfile, merge, pairs, stages
from benchmark.params import Params


def compress(params: Params, split: str) -> None:
    """Compress the images of one split and list the test inputs."""
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    to = params.work / "jpeg" / split
    shutil.rmtree(to, ignore_errors=True)
    lists = {
        path.stem: pairs.read_manifest(path)
        for path in sorted((params.work / "merge" / split).glob("*.csv"))
    }
    if split == "train":
        cells = [
            *lists["vae_dark"]["dark"],
            *lists["vae_normal"]["normal"],
            *lists["mapping_pairs"]["dark"],
        ]
        compression.compress(cells, params.train_qfs, places, to, params.jobs)
        return
    scored = {str(name): lists[name] for name in params.merge.test}
    seen = {str(name): lists[name] for name in params.detection.sets if params.detection.chains}
    for name, chosen, qfs in (
        ("scores", scored, params.qfs),
        ("faces", seen, params.detection.qfs),
    ):
        cells = [cell for listed in chosen.values() for cell in listed["dark"]]
        compression.compress(cells, qfs, places, to, params.jobs)
        inputs = [*([None] if params.uncompressed else []), *qfs]
        compression.cases(chosen, inputs).to_csv(to / f"{name}.csv", index=False)
    labelled = pd.concat([*seen.values(), pd.DataFrame(columns=list(pairs.COLUMNS))])
    truth = {
        name: faces.read_labels(places.locate(cell)).boxes.tolist()
        for name, cell in labelled[["name", "labels"]].to_numpy()
    }
    jsonfile.write(to / "faces.json", truth)


if __name__ == "__main__":
    stages.run(compress, "split")
