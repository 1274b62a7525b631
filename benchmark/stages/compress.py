"""Stage compress: the JPEG files of the merged training or test images."""

from benchmark import stages
from benchmark.core import files, jsonfile
from benchmark.core.params import Params
from benchmark.data import compression, darkening, lists, manifest
from benchmark.data.labels import boxes, wider_face


def compress(params: Params, split: str) -> None:
    """Compress the images of one split and list the test inputs."""
    places = lists.PathResolver.of(params)
    to = stages.emptied(params.work / "jpeg" / split)
    manifests = {
        path.stem: manifest.read_manifest(path)
        for path in sorted((params.work / "merge" / split).glob("*.csv"))
    }
    if split == "train":
        cells = [
            *manifests["vae_dark"]["dark"],
            *manifests["vae_normal"]["normal"],
            *manifests["mapping_pairs"]["dark"],
        ]
        compression.compress(cells, params.train_qfs, places, to, params.jobs)
        return
    registrations = compression.read_registrations(params.work / "prepared", params.merge.test)
    scored = {str(name): manifests[name] for name in params.merge.test}
    detected = {}
    for name in params.detection.sets if params.detection.chains else []:
        folder, prefix = to / "dark" / name, f"work/jpeg/test/dark/{name}/"
        listed = manifests[name].iloc[:: params.detection.every].reset_index(drop=True)
        detected[str(name)] = darkening.complete(
            listed, places, folder, prefix, params.seed, params.jobs
        )
    for kind, chosen, qfs, raw in (
        ("scores", scored, params.qfs, params.uncompressed),
        ("faces", detected, params.detection.qfs, bool(params.detection.uncompressed)),
    ):
        cells = [cell for listed in chosen.values() for cell in listed["dark"]]
        compression.compress(cells, qfs, places, to, params.jobs)
        inputs = [*([None] if raw else []), *qfs]
        listed = compression.cases(chosen, inputs, registrations)
        text = listed.to_csv(index=False, lineterminator="\n")
        files.write_text(to / f"{kind}.csv", text)
    truth = {
        dataset: {
            name: boxes.plain(wider_face.labelled(places.locate(cell), name))
            for name, cell in listed[["name", "labels"]].to_numpy()
        }
        for dataset, listed in detected.items()
    }
    jsonfile.write(to / "faces.json", truth)


if __name__ == "__main__":
    stages.run(compress, "split")
